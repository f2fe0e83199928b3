package main

import (
	"context"
	"errors"

	"github.com/seed-649d3d38/heddle/bench/figure"
	"github.com/seed-649d3d38/heddle/bench/process"
	"github.com/seed-649d3d38/heddle/bench/work"
)

// fair measures how long the jobs of one tenant take while another one has a hundred times
// as many in the queue, against the same jobs alone.
func (b *bench) fair(ctx context.Context) (err error) {
	const slots = "8"
	var s stage
	defer func() { err = errors.Join(err, s.stop()) }()
	url, err := b.jetStream(ctx, &s)
	if err == nil {
		err = b.kitWork(ctx, &s, 1, url, "--slots", slots)
	}
	if err != nil {
		return err
	}
	client, _, err := s.start(ctx, b.role("jobs-fair", url), saysReady)
	if err != nil {
		return err
	}
	title := "fair: jobs of one tenant, one after the other, alone and while another one has 100 for each in the queue;\none instance of " + slots + " slots, %d jobs in each of %d rounds\n\n"
	if err := b.printf(title, b.extent.fairJobs, b.extent.jobs); err != nil {
		return err
	}
	t := figure.NewTable("work", "alone: p50 ms", "p99 ms", "min–max", "beside: p50 ms", "p99 ms", "min–max")
	var goals figure.Goals
	for _, w := range []struct {
		name string
		wait float64
	}{
		{"waits 1 ms", 1},
		{"waits 20 ms", 20},
	} {
		alone, beside, err := b.fairRounds(ctx, client, bodyOf(work.Request{Wait: w.wait}))
		if err != nil {
			return err
		}
		t.Add(w.name, figure.Number(alone.p50.Median(), 2), figure.Number(alone.p99.Median(), 2), alone.p99.Spread(2),
			figure.Number(beside.p50.Median(), 2), figure.Number(beside.p99.Median(), 2), beside.p99.Spread(2))
		goals.Add(w.name+": p99 beside a flood / alone", beside.p99.Over(alone.p99), figure.Goal{Order: figure.AtMost, Must: 2, Aim: 1.3}, 2)
	}
	return errors.Join(t.Print(b.out), goals.Print(b.out), s.stop())
}

// fairRounds times the jobs in turn, alone and beside a flood of others like them. The
// first round only warms up.
func (b *bench) fairRounds(ctx context.Context, client *process.Process, body string) (alone, beside variant, err error) {
	ways := []*variant{&alone, &beside}
	beside.run.Target = "flood"
	for round := -1; round < b.extent.jobs; round++ {
		for i := range ways {
			v := ways[(max(round, 0)+i)%len(ways)]
			v.run.Body, v.run.InFlight = body, b.extent.fairJobs
			r, err := order(ctx, client, v.run)
			if err != nil {
				return alone, beside, err
			}
			if round >= 0 {
				v.p50, v.p99 = append(v.p50, milliseconds(r.P50)), append(v.p99, milliseconds(r.P99))
			}
		}
	}
	return alone, beside, nil
}
