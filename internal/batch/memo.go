package batch

import (
	"bytes"

	"github.com/seed-649d3d38/heddle/contract"
)

// memo computes equal items once. It keeps results up to [memoBytes]; beyond that, and of
// errors, equal items are one only while one of them is in flight.
type memo struct {
	known map[string]*equals
	bytes int
}

// equals are the items of one text.
type equals struct {
	key     string
	waiting []int  // indexes of those that have no outcome yet, without the first one
	result  []byte // nil while there is none
}

func newMemo() *memo { return &memo{known: make(map[string]*equals)} }

// join returns the items equal to a text, and whether there were any before.
func (m *memo) join(body []byte) (e *equals, joined bool) {
	if e := m.known[string(body)]; e != nil {
		return e, true
	}
	e = &equals{key: string(body)}
	m.known[e.key] = e
	return e, false
}

// settle notes the outcome and returns the indexes of the items that waited for it.
func (m *memo) settle(e *equals, l contract.BatchLine) []int {
	waiting := e.waiting
	e.waiting = nil
	size := len(e.key) + len(l.Result)
	if l.Error != nil || m.bytes+size > memoBytes {
		delete(m.known, e.key)
		return waiting
	}
	m.bytes += size
	e.result = bytes.Clone(l.Result)
	return waiting
}
