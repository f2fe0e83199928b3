package load

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/bench/work"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/jobs"
)

// glance is the time between two looks at whether all jobs have ended.
const glance = 2 * time.Millisecond

// WorkJob is a submission of the operation "do" of the service of package work.
func WorkJob(r string) jobs.Submission {
	spec := contract.Spec{Service: "work", Operation: "do", Summary: "Works", Pure: true}
	return jobs.Submission{Endpoint: contract.Define[work.Request, work.Result](spec).Descriptor(), Body: []byte(r)}
}

// SubmitJobs submits jobs and waits until the results of all of them are stored. Elapsed
// is the time until then, the percentiles are those of the submissions.
func SubmitJobs(ctx context.Context, nc *nats.Conn, run Run) (Result, error) {
	store, err := jobs.Open(nc, jobs.Config{})
	if err != nil {
		return Result{}, err
	}
	defer store.Close()
	streams, err := jetstream.New(nc)
	if err != nil {
		return Result{}, err
	}
	before, err := messages(ctx, streams, "KV_"+contract.JobBucket)
	if err != nil {
		return Result{}, err
	}
	job := WorkJob(run.Body)
	start := time.Now()
	result, err := together(run.InFlight, func(start time.Time) ([]time.Duration, error) {
		return repeat(start.Add(run.Duration), func() error {
			_, _, err := store.Submit(ctx, job)
			return err
		})
	})
	if err != nil {
		return Result{}, err
	}
	err = awaitJobs(ctx, streams)
	result.Elapsed = time.Since(start)
	if err != nil {
		return Result{}, err
	}
	return result, checkRecords(ctx, streams, before+uint64(result.Requests))
}

// awaitJobs returns when no job is queued or running.
func awaitJobs(ctx context.Context, streams jetstream.JetStream) error {
	return await(ctx, func(ctx context.Context) (bool, error) {
		left, err := messages(ctx, streams, contract.WorkStream("work"))
		return left == 0, err
	})
}

// checkRecords checks that there are so many records, and that no job has failed.
func checkRecords(ctx context.Context, streams jetstream.JetStream, want uint64) error {
	got, err := messages(ctx, streams, "KV_"+contract.JobBucket)
	if err != nil {
		return err
	}
	failed, err := messages(ctx, streams, "KV_"+contract.EndedBucket)
	if err == nil && (got != want || failed > 0) {
		err = fmt.Errorf("there are records of %d jobs, wanted %d; %d have failed", got, want, failed)
	}
	return err
}

// messages returns the number of messages of a stream.
func messages(ctx context.Context, streams jetstream.JetStream, name string) (uint64, error) {
	s, err := streams.Stream(ctx, name)
	if err != nil {
		return 0, fmt.Errorf("stream %s: %w", name, err)
	}
	return s.CachedInfo().State.Msgs, nil
}

// repeat calls f until the end and returns how long each call took.
func repeat(end time.Time, f func() error) (latencies []time.Duration, err error) {
	for now := time.Now(); now.Before(end); {
		if err := f(); err != nil {
			return latencies, err
		}
		before := now
		now = time.Now()
		latencies = append(latencies, now.Sub(before))
	}
	return latencies, nil
}

// await returns when done reports true.
func await(ctx context.Context, done func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, workTime)
	defer cancel()
	ticker := time.NewTicker(glance)
	defer ticker.Stop()
	for {
		if ok, err := done(ctx); ok || err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("the jobs have not ended: %w", ctx.Err())
		}
	}
}

// WaitJobs submits one job after the other, each when the result of the one before is
// there as [jobs.Store.Wait] returns it.
func WaitJobs(ctx context.Context, nc *nats.Conn, run Run) (Result, error) {
	store, err := jobs.Open(nc, jobs.Config{})
	if err != nil {
		return Result{}, err
	}
	defer store.Close()
	job := WorkJob(run.Body)
	return together(run.InFlight, func(start time.Time) ([]time.Duration, error) {
		return repeat(start.Add(run.Duration), func() error {
			doc, _, err := store.Submit(ctx, job)
			if err != nil {
				return err
			}
			ref, err := contract.ParseJobID(doc.ID)
			if err == nil {
				doc, err = store.Wait(ctx, ref)
			}
			return succeeded(doc, err)
		})
	})
}

// HearJobs is like [WaitJobs] for a caller that listens to the events of all jobs of the
// service from the start, as the subject says them.
func HearJobs(ctx context.Context, nc *nats.Conn, run Run) (Result, error) {
	store, err := jobs.Open(nc, jobs.Config{})
	if err != nil {
		return Result{}, err
	}
	defer store.Close()
	job := WorkJob(run.Body)
	all := contract.JobRef{Tenant: "*", Service: "work", Operation: "*", Token: "*"}
	events, err := nc.SubscribeSync(all.EventSubject())
	if err != nil {
		return Result{}, err
	}
	defer func() { _ = events.Unsubscribe() }() // fails only on a closed connection
	return together(1, func(start time.Time) ([]time.Duration, error) {
		return repeat(start.Add(run.Duration), func() error {
			doc, _, err := store.Submit(ctx, job)
			if err != nil {
				return err
			}
			m, err := events.NextMsgWithContext(ctx)
			if err != nil {
				return err
			}
			return succeeded(heard(m, doc.ID))
		})
	})
}

// heard reads an event of the job with the id.
func heard(m *nats.Msg, id string) (doc contract.Job, err error) {
	err = json.Unmarshal(m.Data, &doc)
	if err == nil && doc.ID != id {
		err = fmt.Errorf("heard of job %s, wanted %s", doc.ID, id)
	}
	return doc, err
}

// succeeded checks what became of a job.
func succeeded(doc contract.Job, err error) error {
	if err == nil && doc.State != contract.JobSucceeded {
		err = fmt.Errorf("job %s is %s: %w", doc.ID, doc.State, doc.Error)
	}
	return err
}

// PileJobs submits so many jobs, run.InFlight, with 64 submitters and does not wait for
// their ends. It makes their streams even if there are none.
func PileJobs(ctx context.Context, nc *nats.Conn, run Run) (Result, error) {
	const submitters = 64
	store, err := jobs.Open(nc, jobs.Config{})
	if err != nil {
		return Result{}, err
	}
	defer store.Close()
	if err := store.Prepare(ctx, "work"); err != nil {
		return Result{}, err
	}
	job := WorkJob(run.Body)
	var taken atomic.Int64
	return together(submitters, func(time.Time) (latencies []time.Duration, err error) {
		for taken.Add(1) <= int64(run.InFlight) {
			begun := time.Now()
			if _, _, err := store.Submit(ctx, job); err != nil {
				return latencies, err
			}
			latencies = append(latencies, time.Since(begun))
		}
		return latencies, nil
	})
}

// AwaitJobs waits until so many jobs, run.InFlight, have ended and none is left.
func AwaitJobs(ctx context.Context, nc *nats.Conn, run Run) (Result, error) {
	streams, err := jetstream.New(nc)
	if err != nil {
		return Result{}, err
	}
	start := time.Now()
	if err := awaitJobs(ctx, streams); err != nil {
		return Result{}, err
	}
	return Result{Requests: run.InFlight, Elapsed: time.Since(start)}, checkRecords(ctx, streams, uint64(run.InFlight))
}
