package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/bench/figure"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/jobs"
)

// jobsToList is the number of jobs that lists are made of.
const jobsToList = 100_000

// The goals for the time of a list in milliseconds, of all jobs and of one state.
var (
	listGoal      = figure.Goal{Order: figure.AtMost, Must: 20}
	listStateGoal = figure.Goal{Order: figure.AtMost, Must: 50}
)

// jobsList times lists of the newest jobs of one service: first while all are queued, then
// when they have ended, of which one in a hundred failed and one in ten thousand was
// canceled.
func (b *bench) jobsList(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp(b.dir, "data-")
	if err != nil {
		return err
	}
	var s stage
	defer func() { err = errors.Join(err, s.stop()) }()
	_, url, err := s.start(ctx, b.role("broker", dir), saysReady)
	if err != nil {
		return err
	}
	nc, err := nats.Connect(url)
	if err != nil {
		return err
	}
	defer nc.Close()
	store, err := jobs.Open(nc, jobs.Config{})
	if err != nil {
		return err
	}
	defer store.Close()
	n := max(int(jobsToList/b.extent.shrink), 1000)
	refs, err := submitJobs(ctx, store, n)
	if err != nil {
		return err
	}
	if err := b.printf("jobs-list: the newest 100 of %d jobs of one service, %d rounds, ms\n\n", n, b.extent.rounds); err != nil {
		return err
	}
	var goals figure.Goals
	if err := b.timeLists(ctx, store, &goals, "of all, while all are queued", "", listGoal); err != nil {
		return err
	}
	if err := b.timeLists(ctx, store, &goals, "queued, while all are", contract.JobQueued, listStateGoal); err != nil {
		return err
	}
	if err := endJobs(ctx, store, refs); err != nil {
		return err
	}
	for _, l := range []struct {
		name  string
		state contract.JobState
		goal  figure.Goal
	}{
		{"of all", "", listGoal},
		{"succeeded", contract.JobSucceeded, listStateGoal},
		{"failed, 1 %", contract.JobFailed, listStateGoal},
		{"canceled, 0.01 %", contract.JobCanceled, listStateGoal},
		{"running, none", contract.JobRunning, listStateGoal},
	} {
		if err := b.timeLists(ctx, store, &goals, l.name, l.state, l.goal); err != nil {
			return err
		}
	}
	return goals.Print(b.out)
}

// timeLists times lists of the newest jobs in a state.
func (b *bench) timeLists(ctx context.Context, store *jobs.Store, goals *figure.Goals, name string, state contract.JobState, goal figure.Goal) error {
	var times figure.Series
	for range b.extent.rounds {
		begun := time.Now()
		list, err := store.List(ctx, contract.JobQuery{Service: contract.FibonacciTerm.Descriptor().Service, State: state})
		times = append(times, since(begun))
		if err != nil {
			return err
		}
		if state != contract.JobRunning && len(list.Jobs) == 0 {
			return fmt.Errorf("list of jobs %s: got none", name)
		}
	}
	goals.Add("list "+name, times, goal, 1)
	return nil
}

// submitJobs submits n jobs and returns their references.
func submitJobs(ctx context.Context, store *jobs.Store, n int) ([]contract.JobRef, error) {
	refs := make([]contract.JobRef, n)
	var next atomic.Int64
	return refs, together(func() error {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			job, _, err := store.Submit(ctx, jobs.Submission{Endpoint: contract.FibonacciTerm.Descriptor(), Body: []byte(requestBody)})
			if err != nil {
				return err
			}
			if refs[i], err = contract.ParseJobID(job.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// together runs f 64 times at once.
func together(f func() error) error {
	errs := make([]error, 64)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = f() })
	}
	all.Wait()
	return errors.Join(errs...)
}

// endJobs cancels some of the jobs and works on the others.
func endJobs(ctx context.Context, store *jobs.Store, refs []contract.JobRef) error {
	left := len(refs)
	for i := 0; i < len(refs); i += 10_000 {
		if _, err := store.Cancel(ctx, refs[i]); err != nil {
			return err
		}
		left--
	}
	var ended atomic.Int64
	done := make(chan struct{})
	count := func() {
		if ended.Add(1) == int64(left) {
			close(done)
		}
	}
	slots := make(chan struct{}, 64)
	var runner atomic.Pointer[jobs.Runner]
	r, err := store.Start(ctx, jobs.RunnerConfig{
		Service: contract.FibonacciTerm.Descriptor().Service, Instance: "bench",
		Free: func() int { return cap(slots) - len(slots) },
		Run: func(ctx context.Context, a *jobs.Attempt) bool {
			select {
			case slots <- struct{}{}:
			default:
				return false
			}
			go func() {
				endJob(ctx, a, ended.Load()%100 == 0)
				<-slots
				count()
				if r := runner.Load(); r != nil {
					r.Wake()
				}
			}()
			return true
		},
	})
	if err != nil {
		return err
	}
	runner.Store(r)
	select {
	case <-done:
	case <-ctx.Done():
	}
	r.Stop()
	r.Close(ctx)
	return ctx.Err()
}

// endJob ends an attempt with its request as the result, or with an error.
func endJob(ctx context.Context, a *jobs.Attempt, fails bool) { //nolint:revive // one line of each
	work, stop := a.Start(ctx)
	defer stop()
	if fails {
		a.Fail(work, contract.Invalid("n", "is refused by the measurement"))
		return
	}
	body := string(a.Message().Data)
	a.Succeed(ctx, contract.MediaJSON, strings.NewReader(body))
}
