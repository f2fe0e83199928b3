package decimal

import (
	"context"

	"github.com/seed-649d3d38/heddle/decimal/internal/ntt"
)

// Calculator computes with settings of its own. The zero value is ready to use
// and is what the functions of the same names use. A Calculator may be used by
// any number of goroutines, but must not be copied or changed once in use.
type Calculator struct {
	// Progress, if set, is told the fraction of the work that is done, from 0
	// to 1 and never less than before, by a computation that takes more than a
	// few milliseconds. Calls for one computation come one after another.
	Progress func(done float64)

	// Threads is how many cores a long computation uses: 1, 2, or 0 to let its
	// length decide.
	Threads int

	// engine is the transform to use; nil is the best one for the machine.
	engine *ntt.Engine

	// fault, if set, may change the limbs of a stage. Tests use it to show that
	// no fault gets past the check.
	fault func(stage string, limbs []uint64)
}

// stage shows the limbs that a stage of a computation has produced to the
// fault hook.
func (c *Calculator) stage(name string, limbs []uint64) {
	if c.fault != nil {
		c.fault(name, limbs)
	}
}

// report tells the progress.
func (c *Calculator) report(done float64) {
	if c.Progress != nil {
		c.Progress(done)
	}
}

// ntt returns the transform to use.
func (c *Calculator) ntt() *ntt.Engine {
	if c.engine != nil {
		return c.engine
	}
	return ntt.Default()
}

// Fibonacci returns F(n); see [Calculator.Fibonacci].
func Fibonacci(ctx context.Context, n int64) (Int, error) {
	return new(Calculator).Fibonacci(ctx, n)
}

// FibonacciMany returns F(n) for every n; see [Calculator.FibonacciMany].
func FibonacciMany(ctx context.Context, ns []int64) ([]Int, error) {
	return new(Calculator).FibonacciMany(ctx, ns)
}

// Lucas returns L(n); see [Calculator.Lucas].
func Lucas(ctx context.Context, n int64) (Int, error) {
	return new(Calculator).Lucas(ctx, n)
}

// Mul returns x * y; see [Calculator.Mul].
func Mul(ctx context.Context, x, y Int) (Int, error) {
	return new(Calculator).Mul(ctx, x, y)
}

// Sqr returns x²; see [Calculator.Sqr].
func Sqr(ctx context.Context, x Int) (Int, error) {
	return new(Calculator).Sqr(ctx, x)
}

// Sqrt returns the integer root of x and the remainder; see [Calculator.Sqrt].
func Sqrt(ctx context.Context, x Int) (root, remainder Int, err error) {
	return new(Calculator).Sqrt(ctx, x)
}

// Root returns the rounded root of p/q; see [Calculator.Root].
func Root(ctx context.Context, p, q Int, digits int, mode Rounding) (root Int, exact bool, err error) {
	return new(Calculator).Root(ctx, p, q, digits, mode)
}
