package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed-649d3d38/heddle/bench/figure"
	"github.com/seed-649d3d38/heddle/bench/load"
	"github.com/seed-649d3d38/heddle/bench/process"
	"github.com/seed-649d3d38/heddle/contract"
)

// roundTrip is the goal of the time from a request over REST to its result, against the
// same over Celery.
var roundTrip = figure.Goal{Order: figure.AtMost, Must: 0.1, Aim: 0.05}

// python is Debian's, which has Debian's packages (python3-celery, python3-redis).
const python = "/usr/bin/python3"

//go:embed peer/celery/*.py
var celerySource embed.FS

// celery compares one call at a time, from the caller to the result and back, with
// Celery's delay().get().
func (b *bench) celery(ctx context.Context) (err error) {
	if !hasCelery(ctx) {
		return b.printf("celery: left out, since Debian's packages python3-celery and python3-redis are not there\n\n")
	}
	var s stage
	defer func() { err = errors.Join(err, s.stop()) }()
	caller, err := b.startCelery(ctx, &s, "caller.py")
	if err != nil {
		return err
	}
	loader, run, err := b.startRoots(ctx, &s)
	if err != nil {
		return err
	}
	theirs, ours, err := b.alternateCalls(ctx, caller, loader, run)
	if err != nil {
		return err
	}
	return errors.Join(b.printCelery(theirs, ours), s.stop())
}

// hasCelery reports whether the packages are installed.
func hasCelery(ctx context.Context) bool {
	_, err := command(ctx, "", python, "-c", "import celery, redis")
	return err == nil
}

// startCelery starts Redis, a worker of two processes for the queues of the book, and a
// caller, which is a file of peer/celery.
func (b *bench) startCelery(ctx context.Context, s *stage, calls string) (*process.Process, error) {
	address, err := b.startRedis(ctx, s)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"app.py", calls} {
		source, err := celerySource.ReadFile("peer/celery/" + name)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(b.dir, name), source, 0o600); err != nil {
			return nil, fmt.Errorf("write peer: %w", err)
		}
	}
	run := func(args ...string) process.Command {
		c := process.Command{Path: python, Args: args, Env: b.env}
		return with(with(c, "BENCH_REDIS=redis://"+address+"/0"), "PYTHONPATH="+b.dir)
	}
	worker := run("-m", "celery", "-A", "app", "worker", "--concurrency", "2", "--loglevel", "INFO",
		"-Q", "sqrt_queue,fibo_queue,webcrawler_queue")
	if _, _, err := s.start(ctx, worker, saysCeleryReady); err != nil {
		return nil, err
	}
	caller, _, err := s.start(ctx, run(filepath.Join(b.dir, calls)), saysReady)
	return caller, err
}

// saysCeleryReady reads the line with which a Celery worker says that it takes tasks.
func saysCeleryReady(line string) (where string, ok bool) {
	return "", strings.HasSuffix(line, " ready.")
}

// startRoots starts the sqrt service behind a gateway, and what calls it.
func (b *bench) startRoots(ctx context.Context, s *stage) (loader *process.Process, run load.Run, err error) {
	_, url, err := s.start(ctx, b.role("broker"), saysReady)
	if err != nil {
		return nil, run, err
	}
	if _, _, err := s.start(ctx, b.program("sqrt", "--server", url, "--log-format", "json"), logsReady); err != nil {
		return nil, run, err
	}
	_, address, err := s.start(ctx, b.program("gateway", "--server", url, "--http", anyPort, "--log-format", "json"), logsReady)
	if err != nil {
		return nil, run, err
	}
	loader, _, err = s.start(ctx, with(b.role("http-load"), loadGOGC), saysReady)
	return loader, load.Run{Target: address, Path: contract.SqrtFloats.Route(), Body: `{"values":[4]}`, InFlight: 1}, err
}

// calls are the times of calls one after the other.
type calls struct{ perSecond, p50, p99 figure.Series }

func (c *calls) add(r load.Result) {
	c.perSecond = append(c.perSecond, r.PerSecond())
	c.p50 = append(c.p50, milliseconds(r.P50))
	c.p99 = append(c.p99, milliseconds(r.P99))
}

// alternateCalls calls both in turn, round after round, after a run that does not count.
func (b *bench) alternateCalls(ctx context.Context, celery, loader *process.Process, run load.Run) (theirs, ours calls, err error) {
	for round := -1; round < b.extent.rounds; round++ {
		run.Duration = b.extent.runTime
		if round < 0 {
			run.Duration = b.extent.warmUp
		}
		r, err := order(ctx, celery, run)
		if err != nil {
			return theirs, ours, err
		}
		q, err := order(ctx, loader, run)
		if err != nil {
			return theirs, ours, err
		}
		if round >= 0 {
			theirs.add(r)
			ours.add(q)
		}
	}
	return theirs, ours, nil
}

func (b *bench) printCelery(theirs, ours calls) error {
	if err := b.printf("celery: the root of 4, one call at a time, %d rounds of %v; Redis keeps nothing on disk\n\n",
		b.extent.rounds, b.extent.runTime); err != nil {
		return err
	}
	t := figure.NewTable("variant", "calls/s", "min–max", "p50 ms", "min–max", "p99 ms", "min–max")
	for _, v := range []struct {
		name string
		calls
	}{{"Celery and Redis, sqrt.delay(4).get()", theirs}, {"POST /v1/sqrt/floats through the gateway", ours}} {
		t.Add(v.name, figure.Number(v.perSecond.Median(), 0), v.perSecond.Spread(0),
			figure.Number(v.p50.Median(), 3), v.p50.Spread(3), figure.Number(v.p99.Median(), 3), v.p99.Spread(3))
	}
	if err := t.Print(b.out); err != nil {
		return err
	}
	var goals figure.Goals
	goals.Add("REST round trip: p50 / Celery", ours.p50.Over(theirs.p50), roundTrip, 3)
	return goals.Print(b.out)
}
