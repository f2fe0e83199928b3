package decimal

import (
	"context"
	"fmt"
)

// maxShortFibonacci is the largest n for which F(n) has at most maxDigits18
// digits.
const maxShortFibonacci = 2757

// Fibonacci returns the Fibonacci number F(n), where F(0) = 0, F(1) = 1 and
// F(-n) = (-1)^(n+1) F(n). It has about 0.209 |n| digits; see EstimateFibonacci
// for the memory and the time that takes. It fails with the context's error or
// with ErrCorrupt.
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

// magnitude returns |n|.
func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

func (c *Calculator) fibonacci(ctx context.Context, n uint64) (Int, error) {
	if err := ctx.Err(); err != nil {
		return Int{}, err
	}
	if n < uint64(len(fibonacciWords)) {
		return FromUint64(fibonacciWords[n]), nil
	}
	limbs, width := fibonacciShort(n), width18
	c.stage("term", limbs)
	f := randomPrime()
	if r, sound := f.residue(limbs, width); !sound || r != f.fibonacci(n) {
		return Int{}, ErrCorrupt
	}
	return newInt(limbs, width, false), nil
}
