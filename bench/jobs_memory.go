package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-649d3d38/heddle/bench/figure"
	"github.com/seed-649d3d38/heddle/bench/load"
	"github.com/seed-649d3d38/heddle/bench/process"
)

// jobsMemory reads what the broker needs for jobs that nobody works on, and for the same
// when they have ended.
func (b *bench) jobsMemory(ctx context.Context, f jobFigures) error {
	var queued, finished figure.Series
	for range min(3, b.extent.jobs) {
		q, e, err := b.memoryRound(ctx)
		if err != nil {
			return err
		}
		queued, finished = append(queued, q), append(finished, e)
	}
	f.add(fmt.Sprintf("broker: MB more for 1000 jobs of %d queued", b.extent.pile), keptByFile, queued, figure.Goal{Order: figure.AtMost, Must: 1}, 2)
	f.add(fmt.Sprintf("broker: MB more for 1000 jobs of %d finished", b.extent.pile), keptByFile, finished, figure.Goal{Order: figure.AtMost, Must: 2}, 2)
	return nil
}

// memoryRound returns the megabytes of the broker for a thousand queued and for a thousand
// finished jobs, as so many more than before there were any.
func (b *bench) memoryRound(ctx context.Context) (queued, finished float64, err error) {
	var s stage
	defer func() { err = errors.Join(err, s.stop()) }()
	b.brokers++
	broker, url, err := s.start(ctx, b.role("broker", fmt.Sprintf("%s/jetstream-%d", b.dir, b.brokers)), saysReady)
	if err != nil {
		return 0, 0, err
	}
	client, _, err := s.start(ctx, b.role("jobs-pile", url), saysReady)
	if err != nil {
		return 0, 0, err
	}
	// The streams and the connections are there before the first reading.
	if _, err := order(ctx, client, load.Run{Body: "{}"}); err != nil {
		return 0, 0, err
	}
	empty, err := b.freed(ctx, broker)
	if err != nil {
		return 0, 0, err
	}
	if _, err := order(ctx, client, load.Run{Body: "{}", InFlight: b.extent.pile}); err != nil {
		return 0, 0, err
	}
	full, err := b.freed(ctx, broker)
	if err != nil {
		return 0, 0, err
	}
	if err := b.kitWork(ctx, &s, 1, url, "--slots", "64"); err != nil {
		return 0, 0, err
	}
	drain, _, err := s.start(ctx, b.role("jobs-await", url), saysReady)
	if err != nil {
		return 0, 0, err
	}
	if _, err := order(ctx, drain, load.Run{InFlight: b.extent.pile}); err != nil {
		return 0, 0, err
	}
	done, err := b.freed(ctx, broker)
	thousands := float64(b.extent.pile) / 1000
	return (full - empty) / thousands, (done - empty) / thousands, errors.Join(err, s.stop())
}

// freed returns the megabytes of the broker in RAM once it has given back what it can.
func (b *bench) freed(ctx context.Context, broker *process.Process) (float64, error) {
	select {
	case <-time.After(b.extent.pileRest):
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	// Twice: the first collection only ends what pools keep.
	for range 2 {
		if err := broker.Send([]byte("\n")); err != nil {
			return 0, err
		}
		if line, err := broker.Line(ctx); err != nil || line != freedWord {
			return 0, errors.Join(err, fmt.Errorf("the broker says %q", line))
		}
	}
	u, err := broker.Usage()
	return float64(u.Resident) / 1e6, err
}
