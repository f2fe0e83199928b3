package decimal

import (
	"context"
	"fmt"
	"math/bits"
	"slices"

	"github.com/seed-649d3d38/heddle/decimal/internal/pages"
)

// runGap is the distance between two indices up to which adding from the one
// to the other is cheaper than computing both.
const runGap = 16

// FibonacciMany returns F(n) for every n, in their order. It is faster than
// calling Fibonacci for each: the doublings that several indices begin with
// are done once, and from one index to a close one it only adds. Limits and
// errors are those of Fibonacci; the first error ends the computation.
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
	var path pairPath
	for len(indices) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("fibonacci of many: %w", err)
		}
		n := 1
		for n < len(indices) && indices[n]-indices[n-1] <= runGap {
			n++
		}
		if err := c.run(ctx, &path, indices[:n], terms); err != nil {
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
func (c *Calculator) run(ctx context.Context, path *pairPath, indices []uint64, terms map[uint64]Int) (err error) {
	first, last := indices[0], indices[len(indices)-1]
	if len(indices) == 1 {
		terms[first], err = c.lone(ctx, path, first)
		return err
	}
	// From F(first), F(first-1) on by addition. F(1), F(0) is the first pair.
	at := max(first, 1)
	width := longWidth(last)
	if last <= maxShortFibonacci {
		width = width18
	}
	pair := emptyLongPair(2*last, width) // each half has room for F(last)
	if err := c.pairAt(ctx, path, at, pair); err != nil {
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
		limbs = pages.Clone(limbs)
		c.stage("term", limbs)
		if terms[n], err = provenTerm(limbs, width, n); err != nil {
			return err
		}
	}
	return nil
}

// lone returns a term that no other one is close to.
func (c *Calculator) lone(ctx context.Context, path *pairPath, n uint64) (Int, error) {
	if n <= maxShortFibonacci {
		return c.fibonacci(ctx, n)
	}
	k, width := (n+1)/2, longWidth(n)
	pair, err := c.walk(ctx, path, k, width)
	if err != nil {
		return Int{}, err
	}
	z, err := c.termFrom(ctx, pair, emptyLongPair(n, width).block, n)
	if err != nil {
		return Int{}, err
	}
	return provenTerm(z, width, n)
}

// pairAt sets to, whose width is given, to the pair for k.
func (c *Calculator) pairAt(ctx context.Context, path *pairPath, k uint64, to *longPair) error {
	if k <= startPair || to.width == width18 {
		to.start(k)
		return nil
	}
	parent, err := c.walk(ctx, path, k/2, to.width)
	if err != nil {
		return err
	}
	return c.descend(ctx, parent, to, k)
}

// pairPath is the chain of pairs whose indices are the leading bits of the last
// one's. Indices that come in ascending order share the beginning of it.
type pairPath []*longPair

// walk returns the pair for k, which must not be changed: it is at the end of
// path then.
func (c *Calculator) walk(ctx context.Context, path *pairPath, k uint64, width int) (*longPair, error) {
	pairs := *path
	for len(pairs) > 0 && !leads(pairs[len(pairs)-1], k, width) {
		pairs = pairs[:len(pairs)-1]
	}
	if len(pairs) == 0 {
		start := k >> shortShift(k)
		pairs = append(pairs, newLongPair(start, 2*start, width))
	}
	for {
		last := pairs[len(pairs)-1]
		if last.k == k {
			break
		}
		next := k >> (bits.Len64(k) - bits.Len64(last.k) - 1)
		pair := emptyLongPair(2*next, width)
		if err := c.descend(ctx, last, pair, next); err != nil {
			return nil, err
		}
		pairs = append(pairs, pair)
	}
	*path = pairs
	return pairs[len(pairs)-1], nil
}

// leads reports whether the bits of p's index begin those of k.
func leads(p *longPair, k uint64, width int) bool {
	shift := bits.Len64(k) - bits.Len64(p.k)
	return p.width == width && shift >= 0 && k>>shift == p.k
}
