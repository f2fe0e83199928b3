package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/seed-649d3d38/heddle/bench/figure"
	"github.com/seed-649d3d38/heddle/bench/load"
	"github.com/seed-649d3d38/heddle/bench/process"
)

// inFlight is the number of requests in flight in all comparisons.
const inFlight = 64

// requestBody is the request of all comparisons.
const requestBody = `{"n":"10"}`

// variant is one of the things that are compared under the same load.
type variant struct {
	name string
	run  load.Run
	// busy are the processes whose processor time is read.
	busy []*process.Process

	perSecond, p50, p99 figure.Series // requests, milliseconds
	cpu                 []figure.Series
}

// alternate runs the variants in turn, round after round. Each round begins with
// another variant, so that none is always the one after a pause. The load process makes
// the runs.
func (b *bench) alternate(ctx context.Context, loader *process.Process, variants []*variant) error {
	for _, v := range variants {
		if v.run.InFlight == 0 {
			v.run.InFlight = inFlight
		}
		if v.run.Body == "" {
			v.run.Body = requestBody
		}
		v.cpu = make([]figure.Series, len(v.busy))
		v.run.Duration = b.extent.warmUp
		if _, err := order(ctx, loader, v.run); err != nil {
			return fmt.Errorf("warm up %s: %w", v.name, err)
		}
		v.run.Duration = b.extent.runTime
	}
	for round := range b.extent.rounds {
		for i := range variants {
			v := variants[(round+i)%len(variants)]
			if err := v.measure(ctx, loader); err != nil {
				return fmt.Errorf("%s: %w", v.name, err)
			}
		}
	}
	return nil
}

// measure makes one run.
func (v *variant) measure(ctx context.Context, loader *process.Process) error {
	before := v.usage()
	r, err := order(ctx, loader, v.run)
	if err != nil {
		return err
	}
	after := v.usage()
	v.perSecond = append(v.perSecond, r.PerSecond())
	v.p50 = append(v.p50, milliseconds(r.P50))
	v.p99 = append(v.p99, milliseconds(r.P99))
	for i := range v.busy {
		microseconds := (after[i] - before[i]) / float64(time.Microsecond)
		v.cpu[i] = append(v.cpu[i], microseconds/float64(r.Requests))
	}
	return nil
}

// usage returns the processor time of the busy processes in nanoseconds, NaN where the
// system does not tell.
func (v *variant) usage() []float64 {
	used := make([]float64, len(v.busy))
	for i, p := range v.busy {
		u, err := p.Usage()
		used[i] = float64(u.CPU)
		if err != nil {
			used[i] = math.NaN()
		}
	}
	return used
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// printVariants prints what was measured, with the ratios to the first variant.
// Processes names the columns of processor time.
func (b *bench) printVariants(variants []*variant, processes ...string) error {
	columns := []string{"variant", "requests/s", "min–max", "ratio", "min–max", "p50 ms", "p99 ms", "p99 ratio", "min–max"}
	for _, p := range processes {
		columns = append(columns, p+" CPU µs")
	}
	t := figure.NewTable(columns...)
	base := variants[0]
	for _, v := range variants {
		ratio, slower := v.perSecond.Over(base.perSecond), v.p99.Over(base.p99)
		cells := []string{
			v.name,
			figure.Number(v.perSecond.Median(), 0), v.perSecond.Spread(0),
			figure.Number(ratio.Median(), 2), ratio.Spread(2),
			figure.Number(v.p50.Median(), 2), figure.Number(v.p99.Median(), 2),
			figure.Number(slower.Median(), 2), slower.Spread(2),
		}
		for _, c := range v.cpu {
			cells = append(cells, figure.Number(c.Median(), 1))
		}
		t.Add(cells...)
	}
	return t.Print(b.out)
}
