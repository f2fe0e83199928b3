package batch

import "github.com/seed-649d3d38/heddle/contract"

// order holds outcomes back until it is their turn.
type order struct {
	next  int
	held  map[int]contract.BatchLine
	bytes int // of held results
}

func newOrder() *order { return &order{held: make(map[int]contract.BatchLine)} }

// put adds an outcome and delivers those whose turn it is.
func (o *order) put(l contract.BatchLine, deliver func(contract.BatchLine) error) error {
	if l.Index != o.next {
		o.held[l.Index] = l
		o.bytes += len(l.Result)
		return nil
	}
	for ok := true; ok; l, ok = o.take() {
		o.next++
		if err := deliver(l); err != nil {
			return err
		}
	}
	return nil
}

// take takes out the outcome whose turn it is, if it is there.
func (o *order) take() (contract.BatchLine, bool) {
	l, ok := o.held[o.next]
	if ok {
		delete(o.held, o.next)
		o.bytes -= len(l.Result)
	}
	return l, ok
}
