package main

import (
	"context"
	"errors"
	"strings"

	"github.com/seed-649d3d38/heddle/bench/figure"
	"github.com/seed-649d3d38/heddle/bench/load"
	"github.com/seed-649d3d38/heddle/bench/process"
	"github.com/seed-649d3d38/heddle/contract"
)

// The goals of batches: items per second, and how much faster two instances are than one.
var (
	batchThroughput = figure.Goal{Order: figure.AtLeast, Must: 80_000, Aim: 120_000}
	batchSpeedup    = figure.Goal{Order: figure.AtLeast, Must: 1.8, Aim: 1.95}
)

const (
	// lightItem takes microseconds.
	lightItem = `{"n":"1","modulus":"1000000007"}`
	// heavyInFlight lets a batch of heavy items end soon after its time.
	heavyInFlight = 16
)

// heavyItem returns a request of some tens of milliseconds of arithmetic with a small result.
func heavyItem() string {
	return `{"n":"1` + strings.Repeat("7", 3000) + `","modulus":"1` + strings.Repeat("3", 400) + `"}`
}

// batch measures batches of light items over REST and with client.Map, and of heavy ones
// over one and two instances of one slot.
func (b *bench) batch(ctx context.Context) (err error) {
	var s stage
	defer func() { err = errors.Join(err, s.stop()) }()
	loader, _, err := s.start(ctx, with(b.role("batches"), loadGOGC), saysReady)
	if err != nil {
		return err
	}
	if err := b.lightBatches(ctx, &s, loader); err != nil {
		return err
	}
	return errors.Join(b.heavyBatches(ctx, &s, loader), s.stop())
}

func (b *bench) lightBatches(ctx context.Context, s *stage, loader *process.Process) error {
	broker, url, err := s.start(ctx, b.role("broker"), saysReady)
	if err != nil {
		return err
	}
	service, _, err := s.start(ctx, b.program("fibonacci", "--server", url, "--log-format", "json"), logsReady)
	if err != nil {
		return err
	}
	gateway, address, err := s.start(ctx, b.program("gateway", "--server", url, "--http", anyPort, "--log-format", "json"), logsReady)
	if err != nil {
		return err
	}
	variants := []*variant{
		{name: "batch over REST", run: load.Run{Target: address, Path: contract.FibonacciTerm.BatchRoute(), Body: lightItem, InFlight: -1}, busy: []*process.Process{service, broker, gateway}},
		{name: "client.Map", run: load.Run{Target: url, Body: lightItem, InFlight: -1}, busy: []*process.Process{service, broker, loader}},
	}
	if err := b.alternate(ctx, loader, variants); err != nil {
		return err
	}
	if err := b.printf("batch: light items such as %s, %d rounds of %v\n\n", lightItem, b.extent.rounds, b.extent.runTime); err != nil {
		return err
	}
	if err := b.printVariants(variants, "service", "broker", "gateway or client"); err != nil {
		return err
	}
	var goals figure.Goals
	for _, v := range variants {
		goals.Add(v.name+": items/s", v.perSecond, batchThroughput, 0)
	}
	return goals.Print(b.out)
}

func (b *bench) heavyBatches(ctx context.Context, s *stage, loader *process.Process) error {
	var variants []*variant
	for i, name := range []string{"one instance of one slot", "two instances of one slot"} {
		_, url, err := s.start(ctx, b.role("broker"), saysReady)
		if err != nil {
			return err
		}
		v := &variant{name: name, run: load.Run{Target: url, Body: heavyItem(), InFlight: heavyInFlight}}
		for range i + 1 {
			p, _, err := s.start(ctx, b.program("fibonacci", "--server", url, "--slots", "1", "--log-format", "json"), logsReady)
			if err != nil {
				return err
			}
			v.busy = append(v.busy, p)
		}
		variants = append(variants, v)
	}
	if err := b.alternate(ctx, loader, variants); err != nil {
		return err
	}
	if err := b.printf("batch: heavy items, n of 3,009 digits modulo a number of 401, with client.Map\n\n"); err != nil {
		return err
	}
	if err := b.printVariants(variants, "first instance", "second instance"); err != nil {
		return err
	}
	var goals figure.Goals
	goals.Add("two instances: items/s / one instance", variants[1].perSecond.Over(variants[0].perSecond), batchSpeedup, 2)
	return goals.Print(b.out)
}
