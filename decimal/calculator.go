package decimal

import "context"

// Calculator computes with settings of its own. The zero value is ready to use
// and is what the functions of the same names use. A Calculator may be used by
// any number of goroutines, but must not be copied or changed once in use.
type Calculator struct {
	// Progress, if set, is told the fraction of the work that is done, from 0
	// to 1 and never less than before, by a computation that takes more than a
	// few milliseconds. Calls for one computation come one after another.
	Progress func(done float64)

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

// Fibonacci returns F(n); see [Calculator.Fibonacci].
func Fibonacci(ctx context.Context, n int64) (Int, error) {
	return new(Calculator).Fibonacci(ctx, n)
}
