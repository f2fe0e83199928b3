package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/bench/figure"
	"github.com/seed-649d3d38/heddle/bench/load"
	"github.com/seed-649d3d38/heddle/bench/process"
	"github.com/seed-649d3d38/heddle/bench/work"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/jobs"
	"github.com/seed-649d3d38/heddle/solver"
)

// jobsLatency times one job after the other, from the submission to its result with the
// caller.
func (b *bench) jobsLatency(ctx context.Context, f jobFigures) (err error) {
	var s stage
	defer func() { err = errors.Join(err, s.stop()) }()
	url, err := b.jetStream(ctx, &s)
	if err == nil {
		err = b.kitWork(ctx, &s, 1, url)
	}
	if err != nil {
		return err
	}
	for _, caller := range []struct{ name, role string }{{"Store.Wait", "jobs-wait"}, {"the event", "jobs-hear"}} {
		client, _, err := s.start(ctx, b.role(caller.role, url), saysReady)
		if err != nil {
			return err
		}
		var p50, p99 figure.Series
		for round := -1; round < b.extent.jobs; round++ {
			r, err := order(ctx, client, load.Run{Body: "{}", InFlight: 1, Duration: b.extent.jobsTime})
			if err != nil {
				return err
			}
			if round >= 0 {
				p50, p99 = append(p50, milliseconds(r.P50)), append(p99, milliseconds(r.P99))
			}
		}
		f.add("one job at a time, to "+caller.name+": p50 ms", keptByFile, p50, figure.Goal{Order: figure.AtMost, Must: 1, Aim: 0.5}, 2)
		f.add("one job at a time, to "+caller.name+": p99 ms", keptByFile, p99, figure.Goal{Order: figure.AtMost, Must: 5, Aim: 1}, 2)
	}
	return s.stop()
}

// longJob is a job that nobody waits for to end.
func longJob() jobs.Submission { return load.WorkJob(bodyOf(work.Request{Wait: 3_600_000})) }

// submit submits a job and names it.
func submit(ctx context.Context, store *jobs.Store, job jobs.Submission) (contract.JobRef, error) {
	doc, _, err := store.Submit(ctx, job)
	if err != nil {
		return contract.JobRef{}, err
	}
	return contract.ParseJobID(doc.ID)
}

// jobsResume times how long a job lies still whose instance was killed.
func (b *bench) jobsResume(ctx context.Context, f jobFigures) (err error) {
	var s stage
	defer func() { err = errors.Join(err, s.stop()) }()
	url, err := b.jetStream(ctx, &s)
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
	instance := b.program("kitwork", "--server", url, "--slots", "1", "--log-format", "json")
	first, _, err := s.start(ctx, instance, logsReady)
	if err != nil {
		return err
	}
	var took figure.Series
	for range b.extent.jobs {
		second, seconds, err := resume(ctx, &s, store, first, instance)
		if err != nil {
			return err
		}
		first, took = second, append(took, seconds)
	}
	f.add("seconds from the kill of an instance to the next attempt", keptByFile, took, figure.Goal{Order: figure.AtMost, Must: 5, Aim: 2}, 2)
	return s.stop()
}

// resume kills the instance while it works on a job and returns another one, and after how
// many seconds that began the next attempt.
func resume(ctx context.Context, s *stage, store *jobs.Store, first *process.Process, instance process.Command) (*process.Process, float64, error) {
	ctx, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	ref, err := submit(ctx, store, longJob())
	if err != nil {
		return nil, 0, err
	}
	if _, err := attempt(ctx, store, ref, 1); err != nil {
		return nil, 0, err
	}
	second, _, err := s.start(ctx, instance, logsReady)
	if err != nil {
		return nil, 0, err
	}
	killed, err := first.Kill()
	if err != nil {
		return nil, 0, err
	}
	job, err := attempt(ctx, store, ref, 2)
	if err == nil {
		_, err = store.Cancel(ctx, ref)
	}
	return second, job.Started.Sub(killed).Seconds(), err
}

// attempt returns the document of the job when its attempt of that number runs.
func attempt(ctx context.Context, store *jobs.Store, ref contract.JobRef, number int) (contract.Job, error) {
	for event, err := range store.Watch(ctx, ref) {
		if err != nil {
			return event.Job, err
		}
		if event.Job.State == contract.JobRunning && event.Job.Attempt == number {
			return event.Job, nil
		}
	}
	return contract.Job{}, fmt.Errorf("job %s ended before attempt %d", ref.ID(), number)
}

// cancelsPerRound is how often a job is canceled in a round.
const cancelsPerRound = 200

// jobsCancel times how long a job goes on that was canceled. The instance is in this
// process, for one clock; the broker is a process of its own.
func (b *bench) jobsCancel(ctx context.Context, f jobFigures) (err error) {
	var s stage
	defer func() { err = errors.Join(err, s.stop()) }()
	url, err := b.jetStream(ctx, &s)
	if err != nil {
		return err
	}
	var stores [2]*jobs.Store // of the instance and of who cancels
	var connections [2]*nats.Conn
	for i := range stores {
		if connections[i], err = nats.Connect(url); err != nil {
			return err
		}
		defer connections[i].Close()
		if stores[i], err = jobs.Open(connections[i], jobs.Config{}); err != nil {
			return err
		}
		defer stores[i].Close()
	}
	begun, ended := make(chan struct{}, 1), make(chan time.Time, 1)
	h, err := host.Start(ctx, connections[0], host.Config{Jobs: stores[0]}, stopWatch(begun, ended))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Drain(context.WithoutCancel(ctx))) }()
	var asked, ends []time.Duration
	for range b.extent.jobs * cancelsPerRound {
		a, e, err := cancelJob(ctx, stores[1], begun, ended)
		if err != nil {
			return err
		}
		asked, ends = append(asked, a), append(ends, e)
	}
	for _, c := range []struct {
		name  string
		times []time.Duration
		goal  figure.Goal
	}{
		{"cancel: ms to the confirmation", asked, figure.Goal{}},
		{"cancel: ms to the end of the solver's context", ends, figure.Goal{Order: figure.AtMost, Must: 1000, Aim: 10}},
	} {
		slices.Sort(c.times)
		for _, share := range []struct {
			name string
			of   float64
		}{{"p50", 0.5}, {"p99", 0.99}, {"latest", 1}} {
			f.add(c.name+", "+share.name, keptByFile, figure.Series{milliseconds(figure.Percentile(c.times, share.of))}, c.goal, 2)
		}
	}
	return nil
}

// stopWatch returns the service of package work with a solver that tells when it begins
// and when its context ends, and does nothing in between.
func stopWatch(begun chan<- struct{}, ended chan<- time.Time) solver.Service {
	do := contract.Define[work.Request, work.Result](contract.Spec{Service: "work", Operation: "do", Summary: "Works", Pure: true})
	return solver.Service{Name: "work", Version: "1.0.0", Waits: true, Operations: []solver.Operation{
		solver.Bind(do, func(ctx context.Context, _ work.Request) (work.Result, error) {
			begun <- struct{}{}
			<-ctx.Done()
			ended <- time.Now()
			return work.Result{}, ctx.Err()
		}),
	}}
}

// cancelJob cancels a job once its solver works, and returns how long after the request
// that was confirmed, and the context of the solver ended.
func cancelJob(ctx context.Context, store *jobs.Store, begun <-chan struct{}, ended <-chan time.Time) (confirmed, end time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	ref, err := submit(ctx, store, longJob())
	if err != nil {
		return 0, 0, err
	}
	select {
	case <-begun:
	case <-ctx.Done():
		return 0, 0, errors.New("a job did not begin")
	}
	asked := time.Now()
	if _, err := store.Cancel(ctx, ref); err != nil {
		return 0, 0, err
	}
	confirmed = time.Since(asked)
	select {
	case at := <-ended:
		return confirmed, at.Sub(asked), nil
	case <-ctx.Done():
		return 0, 0, errors.New("a job went on that was canceled")
	}
}
