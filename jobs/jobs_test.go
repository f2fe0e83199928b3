package jobs_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/jobs"
)

// patience bounds every wait of the tests.
const patience = 20 * time.Second

// echoRequest is the request of echo.
type echoRequest struct {
	Text string `json:"text"`
}

// Validate implements contract.Request.
func (r echoRequest) Validate() error {
	if r.Text == "" {
		return contract.Invalid("text", "must not be empty")
	}
	return nil
}

// echo is the operation of the jobs of the tests: its result is its request.
var echo = contract.Define[echoRequest, echoRequest](contract.Spec{Service: "echo", Operation: "say"}).Descriptor()

// open returns the jobs of the broker of the connection until the test ends.
func open(t testing.TB, nc *nats.Conn) *jobs.Store {
	t.Helper()
	s, err := jobs.Open(nc, jobs.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// solve works on an attempt and returns its result.
type solve func(ctx context.Context, a *jobs.Attempt) ([]byte, error)

// say is the work on an echo.
func say(_ context.Context, a *jobs.Attempt) ([]byte, error) { return a.Message().Data, nil }

// crew is an instance that works on the jobs of echo with some slots.
type crew struct {
	*jobs.Runner
	t    testing.TB
	free atomic.Int64
	end  context.CancelFunc
	once sync.Once
}

// hire starts an instance. It is dismissed when the test ends.
func hire(t testing.TB, s *jobs.Store, slots int, work solve) *crew {
	t.Helper()
	c := &crew{t: t}
	ctx, cancel := context.WithCancel(t.Context())
	c.end = cancel
	c.free.Store(int64(slots))
	ready := make(chan struct{})
	r, err := s.Start(ctx, jobs.RunnerConfig{
		Service: echo.Service, Instance: t.Name(),
		Free: func() int { return int(c.free.Load()) },
		Run: func(ctx context.Context, a *jobs.Attempt) bool {
			<-ready
			if c.free.Add(-1) < 0 {
				c.free.Add(1)
				return false
			}
			go c.work(ctx, a, work)
			return true
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	c.Runner = r
	close(ready)
	t.Cleanup(c.dismiss)
	return c
}

func (c *crew) work(ctx context.Context, a *jobs.Attempt, work solve) {
	work2, done := a.Start(ctx)
	result, err := work(work2, a)
	c.free.Add(1)
	switch {
	case err == nil:
		a.Succeed(ctx, contract.MediaJSON, strings.NewReader(string(result)))
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		a.HandBack(ctx)
	default:
		a.Fail(work2, err)
	}
	done()
	c.Wake()
}

// dismiss ends the instance, once: it hands back what it cannot finish.
func (c *crew) dismiss() {
	c.once.Do(func() {
		c.Stop()
		c.end()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		c.Close(ctx)
	})
}

// submit submits a job.
func submit(t testing.TB, s *jobs.Store, body string, o contract.JobOptions) contract.JobRef {
	t.Helper()
	job, _, err := s.Submit(t.Context(), jobs.Submission{Endpoint: echo, Body: []byte(body), Options: o})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := contract.ParseJobID(job.ID)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// await waits until a job has ended.
func await(t testing.TB, s *jobs.Store, ref contract.JobRef) contract.Job {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	job, err := s.Wait(ctx, ref)
	if err != nil || !job.State.Terminal() {
		t.Fatalf("waited in vain for job %s: %s, %v", ref.ID(), job.State, err)
	}
	return job
}

func TestJob(t *testing.T) {
	t.Parallel()
	s := open(t, brokertest.Connect(t, brokertest.Start(t)))
	ref := submit(t, s, `{"text":"42"}`, contract.JobOptions{})
	if job, err := s.Get(t.Context(), ref); err != nil || job.State != contract.JobQueued {
		t.Fatalf("before there is an instance: %+v, %v", job, err)
	}
	hire(t, s, 1, say)
	job := await(t, s, ref)
	if job.State != contract.JobSucceeded || job.Attempt != 1 || string(job.Result.Value) != `{"text":"42"}` {
		t.Errorf("got %+v", job)
	}
}
