package fib

import (
	"context"
	"fmt"
	"sort"
	"strconv"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/decimal"
	"github.com/seed-649d3d38/heddle/solver"
)

// SolveSequence computes F(from) to F(to), each by addition from the two before it. The
// request must have passed its Validate. It returns an [*contract.Error] when an index is
// beyond [MaxIndex]; other errors are those of [SolveTerm].
func SolveSequence(ctx context.Context, request contract.SequenceRequest) (contract.SequenceResult, error) {
	s, err := computeSequence(ctx, request)
	if err != nil {
		return contract.SequenceResult{}, err
	}
	result := contract.SequenceResult{Terms: make([]contract.SequenceTerm, len(s.terms))}
	for i, x := range s.terms {
		result.Terms[i] = contract.SequenceTerm{N: contract.NewInteger(s.from + int64(i)), Value: contract.Integer(x.String())}
	}
	return result, nil
}

// solveSequence is SolveSequence for hosts: it leaves the terms in their internal form.
func solveSequence(ctx context.Context, request contract.SequenceRequest) (contract.SequenceResult, solver.Long, error) {
	s, err := computeSequence(ctx, request)
	if err != nil {
		return contract.SequenceResult{}, nil, err
	}
	return contract.SequenceResult{}, s, nil
}

func computeSequence(ctx context.Context, request contract.SequenceRequest) (sequence, error) {
	for _, end := range []struct {
		field string
		n     contract.Integer
	}{{"from", request.From}, {"to", request.To}} {
		if _, ok := index(end.n); !ok {
			return sequence{}, contract.Invalid(end.field, "must lie between -%d and %[1]d", MaxIndex)
		}
	}
	from, _ := request.From.Int64() // as |from| and |to| fit, both do
	to, _ := request.To.Int64()
	indices := make([]int64, 0, to-from+1)
	for n := from; n <= to; n++ {
		indices = append(indices, n)
	}
	terms, err := calculator(ctx).FibonacciMany(ctx, indices)
	if err != nil {
		return sequence{}, fmt.Errorf("compute a sequence: %w", err)
	}
	return sequence{from, terms}, nil
}

// termBytes is what a term of a sequence takes beside its digits, and its line.
const termBytes = 200

// estimateSequence returns the cost of a request.
func estimateSequence(request contract.SequenceRequest) solver.Cost {
	from, fits := index(request.From)
	to, fits2 := index(request.To)
	if !fits || !fits2 {
		return solver.Cost{Light: true} // refused at once
	}
	longest := max(from, to)
	shortest := min(from, to)
	if request.From.Negative() != request.To.Negative() {
		shortest = 0
	}
	count := int64(longest-shortest) + 1 // of different |n|; others share their digits
	estimate := decimal.EstimateFibonacci(int64(longest))
	digits := count * (int64(digitsOf(longest)) + int64(digitsOf(shortest)) + 2) / 2
	return solver.Cost{
		// Eight bytes hold 11 digits or more; what fits into a reply is written out once.
		Memory: estimate.Bytes + digits*8/11 + 2*count*termBytes + contract.MaxPart,
		Slots:  estimate.Threads,
	}
}

// sequence is a [contract.SequenceResult] whose terms are not written out.
type sequence struct {
	from  int64
	terms []decimal.Int
}

// Memory implements [solver.Long].
func (s sequence) Memory() int64 {
	sum := int64(len(s.terms)) * termBytes
	for _, x := range s.terms {
		sum += x.Memory()
	}
	return sum
}

// Encode implements [solver.Long].
func (s sequence) Encode(media string) solver.Encoded {
	l := lines{sequence: s, between: "\n"}
	switch media {
	case contract.MediaNDJSON:
		l.named, l.after = true, "\n"
	case contract.MediaJSON:
		l.named, l.before, l.between, l.after = true, `{"terms":[`, ",", "]}"
	}
	return l.encoded()
}

// lines is a sequence in one of its forms: the terms with a text between them, before the
// first and after the last one.
type lines struct {
	sequence
	named                  bool // a term is an object with n and value, not bare digits
	before, between, after string
	ends                   []int // of the terms with the text before or between them
}

// encoded returns the lines as a text.
func (l lines) encoded() solver.Encoded {
	l.ends = make([]int, len(l.terms))
	measure := window{left: -1}
	for i := range l.terms {
		l.write(&measure, i)
		l.ends[i] = measure.passed
	}
	measure.text(l.after)
	return solver.Appended(measure.passed, l.appendRange)
}

// appendRange appends the bytes [from, to) of the text.
func (l lines) appendRange(dst []byte, from, to int) []byte {
	first := sort.SearchInts(l.ends, from+1)
	w := window{dst: dst, skip: from, left: to - from}
	if first > 0 {
		w.skip -= l.ends[first-1]
	}
	for i := first; i < len(l.terms) && w.left > 0; i++ {
		l.write(&w, i)
	}
	w.text(l.after)
	return w.dst
}

// write writes the term at i and the text before it.
func (l lines) write(w *window, i int) {
	if i == 0 {
		w.text(l.before)
	} else {
		w.text(l.between)
	}
	if l.named {
		w.text(`{"n":"`)
		w.text(strconv.FormatInt(l.from+int64(i), 10))
		w.text(`","value":"`)
	}
	if l.terms[i].Sign() < 0 {
		w.text("-")
	}
	w.digits(l.terms[i])
	if l.named {
		w.text(`"}`)
	}
}

// window appends what is written to it after the first skip bytes and up to left bytes to
// dst. With a negative left it appends nothing and counts what passes.
type window struct {
	dst        []byte
	skip, left int
	passed     int
}

// cut returns the range of the next n bytes that is wanted.
func (w *window) cut(n int) (from, to int) {
	w.passed += n
	if w.left <= 0 {
		return 0, 0
	}
	from = min(w.skip, n)
	to = min(n, from+w.left)
	w.skip -= from
	w.left -= to - from
	return from, to
}

func (w *window) text(s string) {
	from, to := w.cut(len(s))
	w.dst = append(w.dst, s[from:to]...)
}

func (w *window) digits(x decimal.Int) {
	if from, to := w.cut(x.Digits()); from < to {
		w.dst = x.AppendDigits(w.dst, from, to)
	}
}
