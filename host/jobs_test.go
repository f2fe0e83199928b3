package host_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/jobs"
)

// submitEcho submits a job and returns its name.
func submitEcho(t *testing.T, s *jobs.Store, endpoint contract.Descriptor, text string) contract.JobRef {
	t.Helper()
	job, _, err := s.Submit(t.Context(), jobs.Submission{Endpoint: endpoint, Body: []byte(`{"text":"` + text + `"}`)})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := contract.ParseJobID(job.ID)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// ended waits until a job has ended.
func ended(t *testing.T, s *jobs.Store, ref contract.JobRef) contract.Job {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	job, err := s.Wait(ctx, ref)
	if err != nil || !job.State.Terminal() {
		t.Fatalf("waited in vain for job %s: %s, %v", ref.ID(), job.State, err)
	}
	return job
}

// TestJobTakesASlot shows that jobs and requests share the slots.
func TestJobTakesASlot(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t)
	nc := brokertest.Connect(t, b)
	store, err := jobs.Open(nc, jobs.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	for name, jobsOnly := range map[string]bool{"all": false, "jobs only": true} {
		t.Run(name, func(t *testing.T) {
			s := openSite(t, nc, host.Config{Slots: 1, Jobs: store, JobsOnly: jobsOnly})
			first := submitEcho(t, store, echo.Descriptor(), "1")
			s.begins()
			second := submitEcho(t, store, echo.Descriptor(), "2")
			if job, err := store.Get(t.Context(), second); err != nil || job.State != contract.JobQueued {
				t.Errorf("while the slot is busy: %+v, %v", job, err)
			}
			s.end <- struct{}{}
			if job := ended(t, store, first); job.State != contract.JobSucceeded || string(job.Result.Value) != `{"text":"1"}` {
				t.Errorf("got %+v", job)
			}
			s.begins()
			short, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			s.drain(short)
			if job, err := store.Get(t.Context(), second); err != nil || job.State != contract.JobQueued || job.Attempt != 0 {
				t.Errorf("handed back: %+v, %v", job, err)
			}
			if _, err := store.Cancel(t.Context(), second); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestJobsOnlyWantsStreams has an instance that takes nothing but jobs find a broker that
// keeps none: it is of no use, and says so.
func TestJobsOnlyWantsStreams(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.StartIn(t, ""))
	store, err := jobs.Open(nc, jobs.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	s := openSite(t, nc, host.Config{Slots: 1, Jobs: store, JobsOnly: true})
	if err := s.Ready(); err == nil || !strings.Contains(err.Error(), "no stream for jobs of echo") {
		t.Errorf("ready: %v", err)
	}
}
