// Package ndjson splits the body of a batch, newline-delimited JSON or a JSON array,
// into its items. It does not look into them: whoever solves an item says what is wrong
// with it, and one bad line leaves the others alone.
//
//	items, err := ndjson.Split(body, ndjson.Sniff, 1000)
//	for i := range items.Len() {
//		use(items.At(i))
//	}
package ndjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// Form is how a body holds its items.
type Form int

// The forms. Sniff takes a body that begins with a bracket as an array.
const (
	Sniff Form = iota
	Lines
	Array
)

// ErrTooMany is returned for a body with more items than are taken.
var ErrTooMany = errors.New("too many items")

// Items are the items of a body, which they refer to. The zero value has none.
type Items struct {
	body  []byte
	spans []span
}

// span is the place of an item in the body. It is half the size of a slice, since a
// body of 8 MiB may have four million items.
type span struct{ from, to uint32 }

// Len returns the number of items.
func (i Items) Len() int { return len(i.spans) }

// At returns an item: a part of the body, without space around it and without line ends
// inside, so that it can be a line.
func (i Items) At(n int) []byte {
	s := i.spans[n]
	return i.body[s.from:s.to:s.to]
}

// Split returns the items of a body of less than 4 GiB, at most so many. It takes over
// the body and replaces line ends inside of the items of an array by spaces. Empty lines
// are no items. It returns [ErrTooMany], or an error for people that says where the body
// stops being an array of JSON values; lines may hold anything.
func Split(body []byte, form Form, most int) (Items, error) {
	items := Items{body: body}
	if form == Sniff {
		form = Lines
		if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '[' {
			form = Array
		}
	}
	var err error
	if form == Array {
		err = items.splitArray(most)
	} else {
		err = items.splitLines(most)
	}
	if err != nil {
		return Items{}, err
	}
	return items, nil
}

func (i *Items) add(from, to, most int) error {
	if len(i.spans) == most {
		return ErrTooMany
	}
	i.spans = append(i.spans, span{uint32(from), uint32(to)})
	return nil
}

func (i *Items) splitLines(most int) error {
	for from := 0; from < len(i.body); {
		end := bytes.IndexByte(i.body[from:], '\n')
		if end < 0 {
			end = len(i.body) - from
		}
		next := from + end + 1
		to := from + end
		for from < to && blank(i.body[from]) {
			from++
		}
		for from < to && blank(i.body[to-1]) {
			to--
		}
		if from < to {
			if err := i.add(from, to, most); err != nil {
				return err
			}
		}
		from = next
	}
	return nil
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' }

// splitArray reads the array with a decoder that checks the syntax alone: duplicate
// names and such are for whoever solves the item.
func (i *Items) splitArray(most int) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(i.body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	open, err := d.ReadToken()
	if err != nil || open.Kind() != '[' {
		return errors.New("the body is not a JSON array")
	}
	for d.PeekKind() != ']' {
		value, err := d.ReadValue()
		if err != nil {
			return syntaxError(err)
		}
		to := int(d.InputOffset())
		from := to - len(value)
		for at := from; at < to; at++ {
			// Inside of strings there are none, so these are space between tokens.
			if c := i.body[at]; c == '\n' || c == '\r' {
				i.body[at] = ' '
			}
		}
		if err := i.add(from, to, most); err != nil {
			return err
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return syntaxError(err)
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("the array ends at byte %d and more follows", d.InputOffset())
	}
	return nil
}

func syntaxError(err error) error {
	if e, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return fmt.Errorf("the array is not valid JSON at byte %d: %w", e.ByteOffset, e.Err)
	}
	return fmt.Errorf("the array is not valid JSON: %w", err)
}
