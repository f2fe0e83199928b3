package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed-649d3d38/heddle/bench/figure"
	"github.com/seed-649d3d38/heddle/decimal"
)

// atLeast is the goal of a ratio of their cost to ours.
func atLeast(must, aim float64) figure.Goal {
	return figure.Goal{Order: figure.AtLeast, Must: must, Aim: aim}
}

// allRows returns the rows in the order of the table.
func allRows() []row {
	var rows []row
	for _, g := range []struct {
		work
		goal figure.Goal
	}{
		{work{"fibonacci", 1_000}, atLeast(1.2, 1.5)},
		{work{"fibonacci", 10_000}, atLeast(1.1, 2)},
		{work{"fibonacci", 100_000}, atLeast(3.5, 6)},
		{work{"fibonacci", 1_000_000}, atLeast(12, 20)},
		{work{"root", 1_000}, atLeast(1, 0)},
		{work{"root", 10_000}, atLeast(1.2, 3)},
		{work{"root", 100_000}, atLeast(5, 8)},
		{work{"root", 1_000_000}, atLeast(12, 20)},
		{work{"root", 10_000_000}, atLeast(15, 40)},
		{work{"sqrt2", 10_000}, atLeast(2, 0)},
		{work{"sqrt2", 100_000}, atLeast(8, 0)},
		{work{"sqrt2", 1_000_000}, atLeast(16, 0)},
		{work{"sqrt2", 10_000_000}, atLeast(21, 0)},
	} {
		rows = append(rows, row{name: fmt.Sprintf("%s %d, one core, GMP / ours", g.operation, g.n), goal: g.goal, measure: onOneCore(g.work, "")})
	}
	seventh := work{"fibonacci", 10_000_000}
	rows = append(rows,
		row{name: "fibonacci 10000000, one core, tier fma, GMP / ours", goal: atLeast(4, 0), measure: onOneCore(seventh, "fma")},
		row{name: "fibonacci 10000000, one core, tier scalar, GMP / ours", goal: atLeast(1.5, 0), measure: onOneCore(seventh, "scalar")},
	)
	for _, g := range []struct {
		n          int
		warm, cold figure.Goal
	}{
		{10_000_000, atLeast(30, 50), atLeast(6, 0)},
		{100_000_000, atLeast(55, 100), atLeast(12, 0)},
		{1_000_000_000, atLeast(60, 100), atLeast(16, 0)},
	} {
		w, long := work{"fibonacci", g.n}, g.n > 100_000_000
		rows = append(rows,
			row{fmt.Sprintf("fibonacci %d, two cores, warm, GMP / ours", g.n), g.warm, long, onTwoCores(w)},
			row{fmt.Sprintf("fibonacci %d, two cores, first in its process, GMP / ours", g.n), g.cold, long, inFreshProcess(w)},
		)
	}
	return append(rows, promises()...)
}

// onOneCore returns the measurement of a work on one core, by a tier or the best one.
func onOneCore(w work, tier string) func(context.Context, *bench) (figure.Series, error) {
	return func(ctx context.Context, b *bench) (figure.Series, error) {
		c := new(decimal.Calculator)
		if tier != "" {
			var err error
			if c, err = decimal.NewCalculator(tier); err != nil {
				return nil, nil //nolint:nilerr // this machine has no such tier: no value
			}
		}
		c.Threads = 1
		return b.compare(ctx, w, tier, func(s sample) float64 { return s.cpu }, func() (sample, error) { return w.ours(ctx, c) })
	}
}

// onTwoCores returns the measurement of elapsed time on as many cores as the length takes.
func onTwoCores(w work) func(context.Context, *bench) (figure.Series, error) {
	return func(ctx context.Context, b *bench) (figure.Series, error) {
		return b.compare(ctx, w, "two cores, warm", elapsed, func() (sample, error) { return w.ours(ctx, new(decimal.Calculator)) })
	}
}

// inFreshProcess is onTwoCores for the first computation of a process.
func inFreshProcess(w work) func(context.Context, *bench) (figure.Series, error) {
	return func(ctx context.Context, b *bench) (figure.Series, error) {
		return b.compare(ctx, w, "two cores, first", elapsed, func() (sample, error) { return w.fresh(ctx, true) })
	}
}

func elapsed(s sample) float64 { return s.wall }

// errDiffer reports that the programs do not agree.
var errDiffer = errors.New("results differ")

// compare returns the ratios of GMP's cost to ours, round by round.
func (b *bench) compare(ctx context.Context, w work, how string, cost func(sample) float64, ours func() (sample, error)) (figure.Series, error) {
	var first, second figure.Series
	for range b.rounds {
		x, err := w.theirs(ctx, b.gmp)
		if err != nil {
			return nil, err
		}
		y, err := ours()
		if err != nil {
			return nil, err
		}
		if x.hash != y.hash {
			return nil, errDiffer
		}
		first, second = append(first, cost(x)), append(second, cost(y))
	}
	b.cost(fmt.Sprintf("%s %d %s", w.operation, w.n, how), first, second)
	return first.Over(second), nil
}

// cost adds a row to the table of costs, which are in nanoseconds.
func (b *bench) cost(name string, theirs, ours figure.Series) {
	least, most := slices.Min(ours), slices.Max(ours)
	b.costs.Add(name, duration(theirs.Median()), duration(ours.Median()), duration(least)+"–"+duration(most))
}

func duration(ns float64) string {
	d := time.Duration(ns)
	if d > 10*time.Microsecond {
		d = d.Round(d / 1000)
	}
	return d.String()
}
