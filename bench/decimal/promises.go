package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/seed-649d3d38/heddle/bench/figure"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/decimal"
	"github.com/seed-649d3d38/heddle/services/sqrt/floats"
)

// atMost is the goal of a cost.
func atMost(must float64) figure.Goal { return figure.Goal{Order: figure.AtMost, Must: must} }

// promises returns the rows about the package alone, and that of the floats.
func promises() []row {
	rows := []row{
		{name: "many: 1000 consecutive n from 10^5, one by one / together", goal: atLeast(2, 0), measure: together(consecutive(100_000, 1000))},
		{name: "many: 64 random n about 10^6, one by one / together", goal: atLeast(1, 0), measure: together(scattered(1_000_000, 64))},
		{name: "floats: 100000 values, C with AVX-512 / ours", goal: atLeast(0, 0.9), measure: rootsOfFloats},
	}
	for _, e := range []struct {
		work
		estimate decimal.Estimate
		digits   float64
	}{
		{work{"fibonacci", 10_000_000}, decimal.EstimateFibonacci(10_000_000), 2_089_877},
		{work{"fibonacci", 100_000_000}, decimal.EstimateFibonacci(100_000_000), 20_898_764},
		{work{"sqrt2", 1_000_000}, decimal.EstimateRoot(1_000_000), 0},
		{work{"sqrt2", 10_000_000}, decimal.EstimateRoot(10_000_000), 0},
	} {
		name := fmt.Sprintf("%s %d: ", e.operation, e.n)
		if e.digits > 0 {
			rows = append(rows, row{name: name + "bytes at the peak for each digit", goal: atMost(14), measure: e.peak(func(peak float64) float64 { return peak / e.digits })})
		}
		rows = append(rows,
			row{name: name + "memory, estimated to measured, off by", goal: atMost(0.25), measure: e.peak(func(peak float64) float64 { return math.Abs(float64(e.estimate.Bytes)/peak - 1) })},
			row{name: name + "time, estimated to measured, off by a factor", goal: atMost(2), measure: e.factor(e.estimate.Time)},
		)
	}
	return append(rows,
		row{name: "fibonacci 1000000000: ms until it stops", goal: atMost(50), measure: work{"fibonacci", 1_000_000_000}.stops},
		row{name: "sqrt2 100000000: ms until it stops", goal: atMost(50), measure: work{"sqrt2", 100_000_000}.stops},
	)
}

// peak returns the measurement of a figure made of the memory at the peak of a process
// that computes without writing out.
func (w work) peak(of func(bytes float64) float64) func(context.Context, *bench) (figure.Series, error) {
	return func(ctx context.Context, b *bench) (figure.Series, error) {
		var series figure.Series
		for range b.rounds {
			s, err := w.fresh(ctx, false)
			if err != nil {
				return nil, err
			}
			series = append(series, of(s.peak))
		}
		return series, nil
	}
}

// factor returns the measurement of the factor between the estimated and the elapsed time
// of a warm computation without its text, always above 1.
func (w work) factor(estimate time.Duration) func(context.Context, *bench) (figure.Series, error) {
	return func(ctx context.Context, b *bench) (figure.Series, error) {
		c := new(decimal.Calculator)
		var series figure.Series
		for i := range b.rounds + 1 {
			start := time.Now()
			if err := w.compute(ctx, c); err != nil {
				return nil, err
			}
			if i > 0 { // the first one warms up
				r := float64(estimate) / float64(time.Since(start))
				series = append(series, max(r, 1/r))
			}
		}
		return series, nil
	}
}

// compute computes without writing out.
func (w work) compute(ctx context.Context, c *decimal.Calculator) (err error) {
	if w.operation == "fibonacci" {
		_, err = c.Fibonacci(ctx, int64(w.n))
	} else {
		_, _, err = c.Root(ctx, decimal.FromInt64(2), decimal.FromInt64(1), w.n, decimal.Down)
	}
	return err
}

// errNotStopped reports a computation that came to its end.
var errNotStopped = errors.New("ended before it could be stopped")

// stops measures the milliseconds between the end of a context and that of a computation,
// which is stopped at another place in each round.
func (w work) stops(ctx context.Context, b *bench) (figure.Series, error) {
	defer new(decimal.Calculator).Trim()
	var series figure.Series
	for i := range 2 * b.rounds {
		part, cancel := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- w.compute(part, new(decimal.Calculator)) }()
		time.Sleep(time.Duration(20+37*i) * time.Millisecond)
		start := time.Now()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			return nil, fmt.Errorf("round %d: %w: %w", i, errNotStopped, err)
		}
		series = append(series, float64(time.Since(start))/float64(time.Millisecond))
	}
	return series, nil
}

// consecutive returns n indices from the first one on.
func consecutive(first int64, n int) []int64 {
	indices := make([]int64, n)
	for i := range indices {
		indices[i] = first + int64(i)
	}
	return indices
}

// scattered returns n indices at random within a tenth of about.
func scattered(about int64, n int) []int64 {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same ones each time
	indices := make([]int64, n)
	for i := range indices {
		indices[i] = about + random.Int64N(about/5) - about/10
	}
	return indices
}

// together measures terms that are asked for one by one against the same asked for at once.
func together(indices []int64) func(context.Context, *bench) (figure.Series, error) {
	return func(ctx context.Context, b *bench) (figure.Series, error) {
		c := &decimal.Calculator{Threads: 1}
		var single, many figure.Series
		for range b.rounds {
			start := processorTime()
			var last decimal.Int
			for _, n := range indices {
				var err error
				if last, err = c.Fibonacci(ctx, n); err != nil {
					return nil, err
				}
			}
			between := processorTime()
			terms, err := c.FibonacciMany(ctx, indices)
			if err != nil {
				return nil, err
			}
			if terms[len(terms)-1].Cmp(last) != 0 {
				return nil, errDiffer
			}
			single, many = append(single, float64(between-start)), append(many, float64(processorTime()-between))
		}
		b.cost("fibonacci of "+strconv.Itoa(len(indices))+" n, one by one and together", single, many)
		return single.Over(many), nil
	}
}

// rootsOfFloats measures package floats against a loop in C that the compiler vectorises,
// both with the memory for the result at hand.
func rootsOfFloats(ctx context.Context, b *bench) (figure.Series, error) {
	const count, reps = contract.MaxFloats, 500
	values, roots := make([]float64, count), make([]float64, count)
	for i := range values {
		values[i] = float64(i) + 0.5
	}
	var theirs, ours figure.Series
	for range b.rounds {
		x, err := runProgram(ctx, b.floats, strconv.Itoa(count), strconv.Itoa(reps))
		if err != nil {
			return nil, err
		}
		floats.Roots(roots, values) // touches the memory
		start := processorTime()
		for range reps {
			floats.Roots(roots, values)
		}
		used := float64(processorTime()-start) / reps
		hash := uint64(0xcbf29ce484222325)
		for _, v := range roots {
			hash = (hash ^ math.Float64bits(v)) * 0x100000001b3
		}
		if x.hash != fmt.Sprintf("%016x", hash) {
			return nil, errDiffer
		}
		theirs, ours = append(theirs, x.cpu), append(ours, used)
	}
	b.cost("floats, a batch of "+strconv.Itoa(count), theirs, ours)
	return theirs.Over(ours), nil
}
