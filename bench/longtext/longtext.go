// Package longtext is the operation whose results are measured: a text of any length that
// costs nothing to compute, so that what is measured is the way it takes.
package longtext

import (
	"context"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/solver"
)

// Request asks for a text of so many bytes.
type Request struct {
	Size int `json:"size"`
}

// Validate checks the size.
func (r Request) Validate() error {
	if r.Size < 0 {
		return contract.Invalid("size", "must be 0 or more")
	}
	return nil
}

// Result stands for the text; it is always written out by [Text].
type Result struct {
	Text string `json:"text"`
}

// AppendPlain implements [contract.Plain].
func (r Result) AppendPlain(dst []byte) []byte { return append(dst, r.Text...) }

// Endpoint is the operation. Its result is the same in both media types: digits.
var Endpoint = contract.Define[Request, Result](contract.Spec{
	Service: "longtext", Operation: "digits", Summary: "Many digits", Pure: true,
})

// Text is a long result.
type Text struct{ size int }

// Memory implements [solver.Long].
func (t Text) Memory() int64 { return int64(t.size) / 2 }

// Encode implements [solver.Long].
func (t Text) Encode(string) solver.Encoded {
	return solver.Appended(t.size, func(dst []byte, from, to int) []byte {
		for from < to {
			n := min(to-from, len(block)-from%len(block))
			dst = append(dst, block[from%len(block):from%len(block)+n]...)
			from += n
		}
		return dst
	})
}

// block is what the text repeats.
var block = func() []byte {
	b := make([]byte, 64<<10)
	for i := range b {
		b[i] = byte('0' + i*i%10)
	}
	return b
}()

// Service returns the service.
func Service() solver.Service {
	solve := func(_ context.Context, r Request) (Result, solver.Long, error) { return Result{}, Text{r.Size}, nil }
	return solver.Service{
		Name: "longtext", Version: "1.0.0", Description: "Long texts",
		Operations: []solver.Operation{solver.BindLong(Endpoint, solve, func(Request) solver.Cost { return solver.Cost{Light: true} })},
	}
}
