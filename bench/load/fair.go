package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/jobs"
)

// Tenants of the measurement of fairness.
const (
	victim    = "victim"
	neighbour = "neighbour"
)

// FairJobs submits run.InFlight jobs of one tenant, one after the other, each when the
// result of the one before is there, and times them. If run.Target is not empty another
// tenant has put a hundred jobs into the queue for each of them before. What is left of
// those in the end is taken away.
func FairJobs(ctx context.Context, nc *nats.Conn, run Run) (Result, error) {
	store, err := jobs.Open(nc, jobs.Config{})
	if err != nil {
		return Result{}, err
	}
	defer store.Close()
	events, err := nc.SubscribeSync(contract.JobRef{Tenant: victim, Service: "work", Operation: "*", Token: "*"}.EventSubject())
	if err != nil {
		return Result{}, err
	}
	defer func() { _ = events.Unsubscribe() }() // fails only on a closed connection
	job := WorkJob(run.Body)
	if run.Target != "" {
		job.Tenant = neighbour
		if err := pile(ctx, store, job, 100*run.InFlight); err != nil {
			return Result{}, err
		}
	}
	job.Tenant = victim
	result, err := together(1, func(time.Time) (latencies []time.Duration, err error) {
		for range run.InFlight {
			begun := time.Now()
			if err := hearResult(ctx, store, events, job); err != nil {
				return latencies, err
			}
			latencies = append(latencies, time.Since(begun))
		}
		return latencies, nil
	})
	if err != nil {
		return result, err
	}
	return result, errors.Join(checkFlood(ctx, nc, run.Target != ""), withdraw(ctx, nc))
}

// pile submits so many jobs, 64 at once.
func pile(ctx context.Context, store *jobs.Store, job jobs.Submission, n int) error {
	const submitters = 64
	_, err := together(submitters, func(time.Time) ([]time.Duration, error) {
		for range n / submitters {
			if _, _, err := store.Submit(ctx, job); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
	return err
}

// hearResult submits a job and returns when the event of its end is there.
func hearResult(ctx context.Context, store *jobs.Store, events *nats.Subscription, job jobs.Submission) error {
	doc, _, err := store.Submit(ctx, job)
	for state := contract.JobQueued; err == nil && !state.Terminal(); {
		var m *nats.Msg
		if m, err = events.NextMsgWithContext(ctx); err != nil {
			break
		}
		doc, err = heard(m, doc.ID)
		state = doc.State
	}
	return succeeded(doc, err)
}

// checkFlood returns an error if there is no job of the neighbour any more where there
// should be: then what was timed was not beside a flood.
func checkFlood(ctx context.Context, nc *nats.Conn, flooded bool) error {
	if !flooded {
		return nil
	}
	streams, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	left, err := messages(ctx, streams, contract.WorkStream("work"))
	if err == nil && left == 0 {
		err = errors.New("the neighbour's jobs have ended before the victim's")
	}
	return err
}

// withdraw takes all queued jobs away and waits until none runs.
func withdraw(ctx context.Context, nc *nats.Conn) error {
	streams, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	return await(ctx, func(ctx context.Context) (bool, error) {
		stream, err := streams.Stream(ctx, contract.WorkStream("work"))
		if err != nil {
			return false, fmt.Errorf("withdraw jobs: %w", err)
		}
		if stream.CachedInfo().State.Msgs == 0 {
			return true, nil
		}
		return false, stream.Purge(ctx)
	})
}
