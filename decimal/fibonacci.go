package decimal

import (
	"context"
	"fmt"
)

const (
	// maxShortFibonacci is the largest n for which the schoolbook method is
	// about as fast as the transform.
	maxShortFibonacci = 16_000
	// maxFibonacci is the largest n for which the sums in the transform of
	// F(n/2) stay within bounds: it has 84 million limbs of width11.
	maxFibonacci = 4_400_000_000
)

// Fibonacci returns the Fibonacci number F(n), where F(0) = 0, F(1) = 1 and
// F(-n) = (-1)^(n+1) F(n). It has about 0.209 |n| digits; see EstimateFibonacci
// for the memory and the time that takes. It fails with the context's error,
// with ErrTooLarge if |n| is above 4.4·10^9, or with ErrCorrupt.
func (c *Calculator) Fibonacci(ctx context.Context, n int64) (Int, error) {
	index := magnitude(n)
	x, err := c.fibonacci(ctx, index)
	if err != nil {
		return Int{}, fmt.Errorf("fibonacci(%d): %w", n, err)
	}
	if n < 0 && index&1 == 0 {
		x = x.Neg()
	}
	return x, nil
}

// Lucas returns the Lucas number L(n) = F(n-1) + F(n+1), where L(0) = 2,
// L(1) = 1 and L(-n) = (-1)^n L(n). Size, time, limit and errors are those of
// Fibonacci.
func (c *Calculator) Lucas(ctx context.Context, n int64) (Int, error) {
	index := magnitude(n)
	x, err := c.lucas(ctx, index)
	if err != nil {
		return Int{}, fmt.Errorf("lucas(%d): %w", n, err)
	}
	if n < 0 && index&1 == 1 {
		x = x.Neg()
	}
	return x, nil
}

// magnitude returns |n|.
func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// fibonacci returns F(n), checked.
func (c *Calculator) fibonacci(ctx context.Context, n uint64) (Int, error) {
	if err := ctx.Err(); err != nil {
		return Int{}, err
	}
	var limbs []uint64
	width := width18
	switch {
	case n < uint64(len(fibonacciWords)):
		return FromUint64(fibonacciWords[n]), nil
	case n <= maxShortFibonacci:
		limbs = fibonacciShort(n)
		c.stage("term", limbs)
	case n <= maxFibonacci:
		var err error
		if limbs, width, err = c.fibonacciLong(ctx, n); err != nil {
			return Int{}, err
		}
	default:
		return Int{}, ErrTooLarge
	}
	return provenTerm(ctx, limbs, width, n)
}

// provenTerm returns F(n) if limbs are F(n), as far as a random prime can tell.
func provenTerm(ctx context.Context, limbs []uint64, width int, n uint64) (Int, error) {
	f := randomPrime()
	r, sound := f.residue(ctx, limbs, width)
	if err := ctx.Err(); err != nil {
		return Int{}, err
	}
	if !sound || r != f.fibonacci(n) {
		return Int{}, ErrCorrupt
	}
	return newInt(limbs, width, false), nil
}

// lucas returns L(n), checked.
func (c *Calculator) lucas(ctx context.Context, n uint64) (Int, error) {
	if err := ctx.Err(); err != nil {
		return Int{}, err
	}
	var limbs []uint64
	width := width18
	switch {
	case n == 0:
		return FromUint64(2), nil
	case n < uint64(len(fibonacciWords)):
		return FromUint64(fibonacciWords[n]).Add(FromUint64(fibonacciWords[n-1])).Add(FromUint64(fibonacciWords[n-1])), nil
	case n < maxShortFibonacci:
		limbs = lucasShort(n)
		c.stage("term", limbs)
	case n <= maxFibonacci:
		var err error
		if limbs, width, err = c.lucasLong(ctx, n); err != nil {
			return Int{}, err
		}
	default:
		return Int{}, ErrTooLarge
	}
	f := randomPrime()
	r, sound := f.residue(ctx, limbs, width)
	if err := ctx.Err(); err != nil {
		return Int{}, err
	}
	if !sound || r != f.lucas(n) {
		return Int{}, ErrCorrupt
	}
	return newInt(limbs, width, false), nil
}
