package jobs

import (
	"context"
	"testing"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/internal/ndjson"
)

// TestResultsGoOnAfterACrash ends a batch as an instance does that dies right after its
// commit. Whoever comes across the message queues the job that gets the results, once.
func TestResultsGoOnAfterACrash(t *testing.T) {
	t.Parallel()
	for name, comeAcross := range map[string]func(*testing.T, *Store){
		"an instance": func(t *testing.T, s *Store) {
			r, err := s.Start(t.Context(), RunnerConfig{
				Service: "fibonacci", Instance: "second", Free: func() int { return 1 },
				Run: func(ctx context.Context, a *Attempt) bool {
					t.Errorf("attempt at %s, which has ended", a.Ref().ID())
					a.HandBack(ctx)
					return true
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				r.Stop()
				r.Close(context.Background())
			})
		},
		"upkeep": func(t *testing.T, s *Store) {
			s.settled = 0
			if err := s.Heal(t.Context(), "fibonacci"); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := Open(brokertest.Connect(t, brokertest.Start(t)), Config{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.Close)
			batch := endBatch(t, s)
			comeAcross(t, s)
			then := followRef(batch, "counter.count")
			brokertest.Await(t, "the job that follows is queued", func() bool {
				job, err := s.Get(t.Context(), then)
				return err == nil && job.State == contract.JobQueued
			})
			brokertest.Await(t, "the message of the batch is gone", func() bool {
				m, err := s.queuedMessage(t.Context(), batch)
				return err == nil && m == nil
			})
			if err := s.follow(t.Context(), batch, &record{Job: contract.Job{Then: then.ID()}}); err != nil {
				t.Errorf("again: %v", err)
			}
			if q, err := s.Queue(t.Context(), "counter"); err != nil || q.Queued != 1 {
				t.Errorf("%d jobs follow, %v", q.Queued, err)
			}
		})
	}
}

// endBatch submits a batch and commits its result, and leaves its message where it is.
func endBatch(t *testing.T, s *Store) contract.JobRef {
	t.Helper()
	items, err := ndjson.Split([]byte(`[{"n":1}]`), ndjson.Array, 1)
	if err != nil {
		t.Fatal(err)
	}
	job, _, err := s.SubmitBatch(t.Context(), BatchSubmission{
		Endpoint: contract.FibonacciTerm.Descriptor(), Items: items, Options: contract.JobOptions{Then: "counter.count"},
	})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := contract.ParseJobID(job.ID)
	if err != nil {
		t.Fatal(err)
	}
	committed := make(chan struct{})
	r, err := s.Start(t.Context(), RunnerConfig{
		Service: "fibonacci", Instance: "first", Free: func() int { return 1 },
		Run: func(ctx context.Context, a *Attempt) bool {
			_, done := a.Start(ctx)
			defer done()
			a.writing.Lock()
			a.record.State, a.record.Result = contract.JobSucceeded, &contract.JobResult{ContentType: contract.MediaNDJSON, Expires: time.Now().Add(time.Hour)}
			err := a.commit(ctx, time.Hour)
			a.ended = true
			a.writing.Unlock()
			if err != nil {
				t.Error(err)
			}
			a.runner.finished(a, nak) // as the broker does when nothing is heard of the instance
			close(committed)
			return true
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	<-committed
	r.Stop()
	r.Close(t.Context())
	return ref
}
