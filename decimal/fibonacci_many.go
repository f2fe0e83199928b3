package decimal

import (
	"context"
	"fmt"
	"slices"

	"github.com/seed-649d3d38/heddle/decimal/internal/pages"
)

// runGap is the distance between two indices up to which adding from the one
// to the other is cheaper than computing both.
//
// Indices further apart share nothing: their doublings part 4 or more steps before
// the end, and what comes before that is less than a 28th of the work.
const runGap = 16

// FibonacciMany returns F(n) for every n, in their order. It is faster than
// calling Fibonacci for each where indices are close: from one to the next it
// only adds. Limits and errors are those of Fibonacci; the first error ends the computation.
func (c *Calculator) FibonacciMany(ctx context.Context, ns []int64) ([]Int, error) {
	indices := make([]uint64, len(ns))
	for i, n := range ns {
		indices[i] = magnitude(n)
	}
	slices.Sort(indices)
	indices = slices.Compact(indices)
	terms := make(map[uint64]Int, len(indices))
	if len(indices) > 0 && indices[len(indices)-1] > maxFibonacci {
		return nil, fmt.Errorf("fibonacci(%d): %w", indices[len(indices)-1], ErrTooLarge)
	}
	for len(indices) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("fibonacci of many: %w", err)
		}
		n := 1
		for n < len(indices) && indices[n]-indices[n-1] <= runGap {
			n++
		}
		if err := c.run(ctx, indices[:n], terms); err != nil {
			return nil, fmt.Errorf("fibonacci(%d) to fibonacci(%d): %w", indices[0], indices[n-1], err)
		}
		indices = indices[n:]
		c.report(float64(len(terms)) / float64(len(terms)+len(indices)))
	}
	out := make([]Int, len(ns))
	for i, n := range ns {
		index := magnitude(n)
		if out[i] = terms[index]; n < 0 && index&1 == 0 {
			out[i] = out[i].Neg()
		}
	}
	return out, nil
}

// run adds the terms of close indices, in ascending order, to terms.
func (c *Calculator) run(ctx context.Context, indices []uint64, terms map[uint64]Int) (err error) {
	first, last := indices[0], indices[len(indices)-1]
	if len(indices) == 1 {
		terms[first], err = c.fibonacci(ctx, first)
		return err
	}
	// From F(first), F(first-1) on by addition. F(1), F(0) is the first pair.
	at := max(first, 1)
	pair, err := c.pairAt(ctx, at, last)
	if err != nil {
		return err
	}
	for _, n := range indices {
		for ; at < n; at++ {
			if err := pair.advance(ctx); err != nil {
				return err
			}
		}
		limbs := pair.this
		if n == 0 {
			limbs = nil
		}
		limbs = pages.Clone(ctx, limbs)
		c.stage("term", limbs)
		if terms[n], err = provenTerm(ctx, limbs, pair.width, n); err != nil {
			return err
		}
	}
	return nil
}

// pairAt returns the pair for k in a block whose halves have room for F(last).
func (c *Calculator) pairAt(ctx context.Context, k, last uint64) (*longPair, error) {
	if last <= maxShortFibonacci {
		p := emptyLongPair(ctx, 2*last, width18)
		p.start(k)
		return p, nil
	}
	shift := shortShift(k)
	p := newLongPair(ctx, k>>shift, 2*last, longWidth(last))
	for shift--; shift >= 0; shift-- {
		if err := c.descend(ctx, p, k>>shift); err != nil {
			return nil, err
		}
	}
	return p, nil
}
