package client_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/jobs"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
	"github.com/seed-649d3d38/heddle/solver"
)

// jobPatience bounds what a test of jobs waits for.
const jobPatience = 20 * time.Second

// startJobs returns a caller at a broker with a jobs service, and a function that starts
// an instance of the services there.
func startJobs(t *testing.T) (c *client.NATS, begin func(...solver.Service)) {
	t.Helper()
	b := brokertest.Start(t)
	nc := brokertest.Connect(t, b)
	store, err := jobs.Open(nc, jobs.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	service, err := jobs.Serve(context.WithoutCancel(t.Context()), store, append(contract.All(), sleep.Descriptor()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(service.Close)
	return &client.NATS{Conn: brokertest.Connect(t, b)}, func(services ...solver.Service) {
		h, err := host.Start(t.Context(), brokertest.Connect(t, b), host.Config{Jobs: store}, services...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			if err := h.Drain(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		})
	}
}

// TestJob submits a job before there is an instance, and finds it again by its id.
func TestJob(t *testing.T) {
	t.Parallel()
	c, begin := startJobs(t)
	ctx, cancel := context.WithTimeout(t.Context(), jobPatience)
	defer cancel()
	job, err := client.Submit(ctx, c, contract.FibonacciTerm, contract.TermRequest{N: "100"}, contract.JobOptions{Key: "a"})
	if err != nil {
		t.Fatal(err)
	}
	again, err := client.Submit(ctx, c, contract.FibonacciTerm, contract.TermRequest{N: "100"}, contract.JobOptions{Key: "a"})
	if err != nil || again.ID() != job.ID() {
		t.Errorf("the same key gave %s after %s, %v", again.ID(), job.ID(), err)
	}
	if doc, err := job.Get(ctx); err != nil || doc.State != contract.JobQueued {
		t.Errorf("before there is an instance: %+v, %v", doc, err)
	}
	if _, err := job.Open(ctx); !errors.Is(err, contract.CodeConflict) {
		t.Errorf("the result of a queued job: %v, want %s", err, contract.CodeConflict)
	}
	begin(fib.Service())
	same, err := client.JobOf(c, contract.FibonacciTerm, job.ID())
	if err != nil {
		t.Fatal(err)
	}
	if term, err := same.Wait(ctx); err != nil || term.Value != "354224848179261915075" {
		t.Errorf("got %+v, %v", term, err)
	}
}

// TestJobWithLargeResult reads a result of several parts, of which a digest is kept.
func TestJobWithLargeResult(t *testing.T) {
	t.Parallel()
	c, begin := startJobs(t)
	begin(fib.Service())
	ctx, cancel := context.WithTimeout(t.Context(), jobPatience)
	defer cancel()
	request := contract.TermRequest{N: "6000000"}
	want, err := fib.SolveTerm(ctx, request)
	if err != nil {
		t.Fatal(err)
	}
	job, err := client.Submit(ctx, c, contract.FibonacciTerm, request, contract.JobOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := job.Wait(ctx); err != nil || got != want {
		t.Errorf("got a result of %d digits, %v", got.Digits, err)
	}
	text, err := client.Submit(ctx, c, contract.FibonacciTerm, request, contract.JobOptions{Accept: contract.MediaText})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range text.Watch(ctx) {
		if err != nil {
			t.Fatal(err)
		}
	}
	result, err := text.Open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer result.Close()
	var digits bytes.Buffer
	if n, err := digits.ReadFrom(result); err != nil || n != result.Size || digits.String() != string(want.Value) || result.ContentType != contract.MediaText {
		t.Errorf("%d bytes of %d, %s, %v", n, result.Size, result.ContentType, err)
	}
}

// TestJobIsCanceledAndRetried ends a running job, and begins it again.
func TestJobIsCanceledAndRetried(t *testing.T) {
	t.Parallel()
	c, begin := startJobs(t)
	begin(sleeper())
	ctx, cancel := context.WithTimeout(t.Context(), jobPatience)
	defer cancel()
	job, err := client.Submit(ctx, c, sleep, sleepRequest{}, contract.JobOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := job.Retry(ctx); !errors.Is(err, contract.CodeConflict) {
		t.Errorf("retry of a job that has not ended: %v, want %s", err, contract.CodeConflict)
	}
	for round := range 2 {
		var states []contract.JobState
		for doc, err := range job.Watch(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			states = append(states, doc.State)
			if doc.State == contract.JobRunning {
				if _, err := job.Cancel(ctx); err != nil {
					t.Fatal(err)
				}
			}
		}
		if last := states[len(states)-1]; last != contract.JobCanceled {
			t.Fatalf("round %d: the states were %v", round, states)
		}
		if _, err := job.Wait(ctx); !errors.Is(err, contract.CodeCanceled) {
			t.Errorf("waited for a canceled job: %v, want %s", err, contract.CodeCanceled)
		}
		if round == 0 {
			if doc, err := job.Retry(ctx); err != nil || doc.State != contract.JobQueued {
				t.Fatalf("retried: %+v, %v", doc, err)
			}
		}
	}
}

// TestJobErrors shows that what is wrong is said, and at once where it can be.
func TestJobErrors(t *testing.T) {
	t.Parallel()
	c, _ := startJobs(t)
	submit := func(n contract.Integer) error {
		_, err := client.Submit(t.Context(), c, contract.FibonacciTerm, contract.TermRequest{N: n}, contract.JobOptions{})
		return err
	}
	of := func(id string) error {
		job, err := client.JobOf(c, contract.FibonacciTerm, id)
		if err != nil {
			return err
		}
		_, err = job.Wait(t.Context())
		return err
	}
	for _, test := range []struct {
		err  error
		want contract.Code
	}{
		{submit("x"), contract.CodeInvalidArgument},
		{of("nonsense"), contract.CodeNotFound},
		{of("sqrt-root-abc"), contract.CodeInvalidArgument},
		{of("fibonacci-term-abc"), contract.CodeNotFound},
	} {
		if _, ours := errors.AsType[*contract.Error](test.err); !ours || !errors.Is(test.err, test.want) {
			t.Errorf("got %v, want %s", test.err, test.want)
		}
	}
	alone := &client.NATS{Conn: brokertest.Connect(t, brokertest.Start(t))}
	if _, err := alone.GetJob(t.Context(), "fibonacci-term-abc"); !errors.Is(err, contract.CodeUnavailable) {
		t.Errorf("without a jobs service: %v, want %s", err, contract.CodeUnavailable)
	}
}

// TestWatchOutlivesTheConnection loses the connection while a job is watched, and still
// hears how it ended.
func TestWatchOutlivesTheConnection(t *testing.T) {
	t.Parallel()
	c, begin := startJobs(t)
	ctx, cancel := context.WithTimeout(t.Context(), jobPatience)
	defer cancel()
	job, err := client.Submit(ctx, c, contract.FibonacciTerm, contract.TermRequest{N: "10"}, contract.JobOptions{})
	if err != nil {
		t.Fatal(err)
	}
	last := contract.JobState("")
	for doc, err := range job.Watch(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if last = doc.State; last == contract.JobQueued {
			if err := c.Conn.ForceReconnect(); err != nil {
				t.Fatal(err)
			}
			begin(fib.Service())
		}
	}
	if last != contract.JobSucceeded {
		t.Errorf("the last state was %q", last)
	}
}
