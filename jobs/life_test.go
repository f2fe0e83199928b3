package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/jobs"
)

// code returns the code of an error.
func code(err error) contract.Code {
	if err == nil {
		return ""
	}
	return contract.FromError(err).Code
}

func TestCancelQueued(t *testing.T) {
	t.Parallel()
	s := open(t, brokertest.Connect(t, brokertest.Start(t)))
	ref := submit(t, s, `{"text":"42"}`, contract.JobOptions{})
	job, err := s.Cancel(t.Context(), ref)
	if err != nil || job.State != contract.JobCanceled {
		t.Fatalf("got %+v, %v", job, err)
	}
	again, err := s.Cancel(t.Context(), ref)
	if err != nil || again.State != contract.JobCanceled {
		t.Errorf("a second time: %+v, %v", again, err)
	}
	next := submit(t, s, `{"text":"43"}`, contract.JobOptions{})
	began := make(chan string, 2)
	hire(t, s, 1, func(_ context.Context, a *jobs.Attempt) ([]byte, error) {
		began <- a.Ref().ID()
		return a.Message().Data, nil
	})
	await(t, s, next)
	if id := <-began; id != next.ID() {
		t.Errorf("the job that was canceled ran: %s", id)
	}
}

func TestCancelRunning(t *testing.T) {
	t.Parallel()
	s := open(t, brokertest.Connect(t, brokertest.Start(t)))
	stopped := make(chan error, 1)
	began := make(chan struct{})
	hire(t, s, 1, func(ctx context.Context, _ *jobs.Attempt) ([]byte, error) {
		close(began)
		<-ctx.Done()
		stopped <- context.Cause(ctx)
		return nil, ctx.Err()
	})
	ref := submit(t, s, `{"text":"42"}`, contract.JobOptions{})
	<-began
	if _, err := s.Cancel(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	if cause := <-stopped; !errors.Is(cause, jobs.ErrCanceled) {
		t.Errorf("the work ended because of %v", cause)
	}
	if job := await(t, s, ref); job.State != contract.JobCanceled || job.Result != nil {
		t.Errorf("got %+v", job)
	}
}

// TestCancelWinsOverResult has the work of a canceled job end well. Only one of the two
// counts, and it is the one that was promised to its caller.
func TestCancelWinsOverResult(t *testing.T) {
	t.Parallel()
	s := open(t, brokertest.Connect(t, brokertest.Start(t)))
	began, end := make(chan struct{}), make(chan struct{})
	c := hire(t, s, 1, func(_ context.Context, a *jobs.Attempt) ([]byte, error) {
		close(began)
		<-end
		return a.Message().Data, nil
	})
	ref := submit(t, s, `{"text":"42"}`, contract.JobOptions{})
	<-began
	if _, err := s.Cancel(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	close(end)
	c.dismiss()
	if job := await(t, s, ref); job.State != contract.JobCanceled {
		t.Errorf("got %+v", job)
	}
}

func TestWrongState(t *testing.T) {
	t.Parallel()
	s := open(t, brokertest.Connect(t, brokertest.Start(t)))
	queued := submit(t, s, `{"text":"41"}`, contract.JobOptions{})
	if _, err := s.Retry(t.Context(), queued); code(err) != contract.CodeConflict || !strings.Contains(err.Error(), "queued") {
		t.Errorf("retry of a queued job: %v", err)
	}
	if _, err := s.Result(t.Context(), queued); code(err) != contract.CodeConflict || !strings.Contains(err.Error(), "queued") {
		t.Errorf("result of a queued job: %v", err)
	}
	hire(t, s, 1, say)
	await(t, s, queued)
	if _, err := s.Cancel(t.Context(), queued); code(err) != contract.CodeConflict || !strings.Contains(err.Error(), "succeeded") {
		t.Errorf("cancel of a job that succeeded: %v", err)
	}
	if _, err := s.Retry(t.Context(), queued); code(err) != contract.CodeConflict {
		t.Errorf("retry of a job that succeeded: %v", err)
	}
	unknown, err := contract.ParseJobID("echo-say-none")
	if err != nil {
		t.Fatal(err)
	}
	for name, do := range map[string]func() error{
		"get":    func() error { _, err := s.Get(t.Context(), unknown); return err },
		"cancel": func() error { _, err := s.Cancel(t.Context(), unknown); return err },
		"retry":  func() error { _, err := s.Retry(t.Context(), unknown); return err },
		"result": func() error { _, err := s.Result(t.Context(), unknown); return err },
		"wait":   func() error { _, err := s.Wait(t.Context(), unknown); return err },
	} {
		if err := do(); code(err) != contract.CodeNotFound {
			t.Errorf("%s of an unknown job: %v", name, err)
		}
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	s := open(t, brokertest.Connect(t, brokertest.Start(t)))
	keyed := func(text, key string) (contract.Job, bool, error) {
		return s.Submit(t.Context(), jobs.Submission{Endpoint: echo, Body: []byte(`{"text":"` + text + `"}`), Options: contract.JobOptions{Key: key}})
	}
	first, isNew, err := keyed("1", "a")
	if err != nil || !isNew {
		t.Fatalf("got %v, new %v", err, isNew)
	}
	for _, when := range []string{"queued", "ended"} {
		if again, isNew, err := keyed("1", "a"); err != nil || isNew || again.ID != first.ID {
			t.Errorf("%s: got %v, new %v, %v", when, again.ID, isNew, err)
		}
		if _, _, err := keyed("2", "a"); code(err) != contract.CodeInvalidArgument || contract.FromError(err).Field != contract.HeaderKey {
			t.Errorf("%s, another request: %v", when, err)
		}
		if when == "queued" {
			ref, _ := contract.ParseJobID(first.ID)
			c := hire(t, s, 1, say)
			await(t, s, ref)
			c.dismiss()
		}
	}
	var all sync.WaitGroup
	ids, fresh := make(chan string, 20), make(chan bool, 20)
	for range 20 {
		all.Go(func() {
			job, isNew, err := keyed("3", "b")
			if err != nil {
				t.Error(err)
			}
			ids <- job.ID
			fresh <- isNew
		})
	}
	all.Wait()
	close(ids)
	close(fresh)
	seen, made := map[string]bool{}, 0
	for id := range ids {
		seen[id] = true
	}
	for isNew := range fresh {
		if isNew {
			made++
		}
	}
	if len(seen) != 1 || made != 1 {
		t.Errorf("20 at once made %d jobs with %d ids", made, len(seen))
	}
}

func TestInvalidRequestIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t, brokertest.Connect(t, brokertest.Start(t)))
	for body, want := range map[string]contract.Code{
		`{"text":""}`:  contract.CodeInvalidArgument,
		`{"txet":"1"}`: contract.CodeInvalidArgument,
		`{`:            contract.CodeMalformedRequest,
		`{"text":"` + strings.Repeat("x", echo.MaxRequest) + `"}`: contract.CodeRequestTooLarge,
	} {
		if _, _, err := s.Submit(t.Context(), jobs.Submission{Endpoint: echo, Body: []byte(body)}); code(err) != want {
			t.Errorf("%.20s: %v", body, err)
		}
	}
}

// TestErrorsThatPass fails a job twice with an error that can pass.
func TestErrorsThatPass(t *testing.T) {
	t.Parallel()
	s := open(t, brokertest.Connect(t, brokertest.Start(t)))
	attempts := 0
	hire(t, s, 1, func(_ context.Context, a *jobs.Attempt) ([]byte, error) {
		if attempts++; attempts < 3 {
			return nil, contract.Errorf(contract.CodeUpstream, "not now")
		}
		return a.Message().Data, nil
	})
	ref := submit(t, s, `{"text":"42"}`, contract.JobOptions{})
	var states []contract.JobState
	for event, err := range s.Watch(t.Context(), ref) {
		if err != nil {
			t.Fatal(err)
		}
		if event.Job.State == contract.JobQueued && event.Job.Attempt > 0 && (event.Job.Error.Code != contract.CodeUpstream || event.Job.NotBefore.IsZero()) {
			t.Errorf("between attempts: %+v", event.Job)
		}
		states = append(states, event.Job.State)
	}
	job := await(t, s, ref)
	if job.State != contract.JobSucceeded || job.Attempt != 3 || job.Error != nil || !slices.Contains(states, contract.JobQueued) {
		t.Errorf("got %+v after %v", job, states)
	}
}

// TestRetryByHand fails a job for good, and then has it done.
func TestRetryByHand(t *testing.T) {
	t.Parallel()
	s := open(t, brokertest.Connect(t, brokertest.Start(t)))
	broken := true
	hire(t, s, 1, func(_ context.Context, a *jobs.Attempt) ([]byte, error) {
		if broken {
			return nil, contract.Errorf(contract.CodeInvalidArgument, "never")
		}
		return a.Message().Data, nil
	})
	ref := submit(t, s, `{"text":"42"}`, contract.JobOptions{Attempts: 3})
	if job := await(t, s, ref); job.State != contract.JobFailed || job.Attempt != 1 || job.Error.Code != contract.CodeInvalidArgument {
		t.Fatalf("got %+v", job)
	}
	if _, err := s.Result(t.Context(), ref); code(err) != contract.CodeInvalidArgument {
		t.Errorf("result of a failed job: %v", err)
	}
	broken = false
	if job, err := s.Retry(t.Context(), ref); err != nil || job.State != contract.JobQueued || job.Attempt != 0 {
		t.Fatalf("got %+v, %v", job, err)
	}
	if job := await(t, s, ref); job.State != contract.JobSucceeded || job.Attempt != 1 {
		t.Errorf("got %+v", job)
	}
}

// TestAttemptsExhausted gives a job to instances that die of it.
func TestAttemptsExhausted(t *testing.T) {
	t.Parallel()
	b := brokertest.Listen(t)
	s := open(t, b.Connect())
	ref := submit(t, s, `{"text":"42"}`, contract.JobOptions{Attempts: 2})
	for attempt := range 2 {
		nc, cut := wired(t, b)
		g := hireGang(t, nc, 1)
		g.begins()
		awaitAttempt(t, s, ref, attempt+1)
		cut.freeze()
		defer cut.thaw()
	}
	hire(t, s, 1, say)
	if job := await(t, s, ref); job.State != contract.JobFailed || job.Attempt != 2 || job.Error.Code != contract.CodeUnavailable {
		t.Errorf("got %+v", job)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	s := open(t, nc)
	g := hireGang(t, nc, 1)
	late := submit(t, s, `{"text":"1"}`, contract.JobOptions{RunLimit: time.Second})
	g.begins()
	queued := submit(t, s, `{"text":"2"}`, contract.JobOptions{QueueLimit: time.Second})
	if job := await(t, s, late); job.State != contract.JobFailed || job.Error.Code != contract.CodeDeadlineExceeded || !strings.Contains(job.Error.Detail, contract.HeaderRunLimit) {
		t.Errorf("run limit: %+v", job)
	}
	if job := await(t, s, queued); job.State != contract.JobFailed || job.Error.Code != contract.CodeDeadlineExceeded {
		t.Errorf("queue limit: %+v", job)
	}
}

// TestHandBack drains an instance in the middle of a job. Another one does it, and the
// first attempt does not count.
func TestHandBack(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t)
	s := open(t, brokertest.Connect(t, b))
	g := hireGang(t, brokertest.Connect(t, b), 1)
	ref := submit(t, s, `{"text":"42"}`, contract.JobOptions{})
	g.begins()
	awaitAttempt(t, s, ref, 1)
	g.dismiss()
	hire(t, s, 1, say)
	if job := await(t, s, ref); job.State != contract.JobSucceeded || job.Attempt != 1 {
		t.Errorf("got %+v", job)
	}
}

// TestLargeResult stores a result in parts and reads all of it and ranges.
func TestLargeResult(t *testing.T) {
	t.Parallel()
	s := open(t, brokertest.Connect(t, brokertest.Start(t)))
	large := bytes.Repeat([]byte("0123456789abcdef"), 3<<16) // 3 MiB
	hire(t, s, 1, func(context.Context, *jobs.Attempt) ([]byte, error) { return large, nil })
	ref := submit(t, s, `{"text":"42"}`, contract.JobOptions{})
	job := await(t, s, ref)
	if job.Result == nil || job.Result.Size != int64(len(large)) || job.Result.Parts != 6 || job.Result.Value != nil {
		t.Fatalf("got %+v", job)
	}
	r, err := s.Result(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range [][2]int64{{0, r.Size}, {0, 1}, {r.Size - 1, r.Size}, {512<<10 - 1, 512<<10 + 1}, {1, r.Size - 1}, {7, 7}} {
		var got bytes.Buffer
		if err := r.WriteRange(t.Context(), &got, at[0], at[1]); err != nil || !bytes.Equal(got.Bytes(), large[at[0]:at[1]]) {
			t.Errorf("range %v: got %d bytes, %v", at, got.Len(), err)
		}
	}
	failing := errors.New("the reader has left")
	if err := r.WriteRange(t.Context(), writer(func([]byte) (int, error) { return 0, failing }), 0, r.Size); !errors.Is(err, failing) {
		t.Errorf("a reader that leaves: %v", err)
	}
}

type writer func([]byte) (int, error)

// Write implements io.Writer.
func (w writer) Write(p []byte) (int, error) { return w(p) }

// TestClasses has jobs of both classes wait for one slot. None is forgotten.
func TestClasses(t *testing.T) {
	t.Parallel()
	s := open(t, brokertest.Connect(t, brokertest.Start(t)))
	var refs []contract.JobRef
	for range 20 {
		for _, class := range contract.JobClasses() {
			refs = append(refs, submit(t, s, `{"text":"42"}`, contract.JobOptions{Class: class}))
		}
	}
	hire(t, s, 1, say)
	for i, ref := range refs {
		if job := await(t, s, ref); job.State != contract.JobSucceeded || job.Class != contract.JobClasses()[i%2] {
			t.Errorf("got %+v", job)
		}
	}
}

func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	s := openWith(t, brokertest.Connect(t, brokertest.Start(t)), jobs.Config{Queue: 3})
	var refs []contract.JobRef
	for range 3 {
		refs = append(refs, submit(t, s, `{"text":"42"}`, contract.JobOptions{}))
	}
	_, _, err := s.Submit(t.Context(), jobs.Submission{Endpoint: echo, Body: []byte(`{"text":"43"}`)})
	if f := contract.FromError(err); f.Code != contract.CodeResourceExhausted || f.RetryAfter == 0 {
		t.Errorf("the fourth of three: %v", err)
	}
	hire(t, s, 1, say)
	for _, ref := range refs {
		await(t, s, ref)
	}
	// The record of a job is there before its message is gone.
	brokertest.Await(t, "there is room", func() bool {
		_, _, err := s.Submit(t.Context(), jobs.Submission{Endpoint: echo, Body: []byte(`{"text":"44"}`)})
		return err == nil
	})
}

// TestProgress watches a job report how far it is.
func TestProgress(t *testing.T) {
	t.Parallel()
	s := open(t, brokertest.Connect(t, brokertest.Start(t)))
	end := make(chan struct{})
	hire(t, s, 1, func(_ context.Context, a *jobs.Attempt) ([]byte, error) {
		a.Report(contract.Progress{Done: 3, Total: 10, Unit: "pages"})
		<-end
		return a.Message().Data, nil
	})
	ref := submit(t, s, `{"text":"42"}`, contract.JobOptions{})
	for event, err := range s.Watch(t.Context(), ref) {
		if err != nil {
			t.Fatal(err)
		}
		if p := event.Job.Progress; event.Job.State == contract.JobRunning && p != nil {
			if p.Done != 3 || p.Total != 10 || p.Unit != "pages" {
				t.Errorf("got %+v", p)
			}
			close(end)
			break
		}
	}
	if job := await(t, s, ref); job.Progress == nil || job.Progress.Done != 10 {
		t.Errorf("at the end: %+v", job.Progress)
	}
}

// TestNoJetStream says what is missing.
func TestNoJetStream(t *testing.T) {
	t.Parallel()
	b := brokertest.ListenPlain(t)
	s := open(t, b.Connect())
	hire(t, s, 1, say)
	_, _, err := s.Submit(t.Context(), jobs.Submission{Endpoint: echo, Body: []byte(`{"text":"42"}`)})
	if code(err) != contract.CodeUnavailable || !strings.Contains(err.Error(), "JetStream") {
		t.Errorf("submit: %v", err)
	}
	ref, err := contract.ParseJobID("echo-say-none")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), ref); code(err) != contract.CodeUnavailable || !strings.Contains(err.Error(), "JetStream") {
		t.Errorf("get: %v", err)
	}
}

// TestRetryWithoutMessage has the message of a retried job lost. The job is said to be
// queued for ever, until somebody retries it once more.
func TestRetryWithoutMessage(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	s := open(t, nc)
	ref := submit(t, s, `{"text":"42"}`, contract.JobOptions{})
	if _, err := s.Cancel(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Retry(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Retry(t.Context(), ref); code(err) != contract.CodeConflict {
		t.Errorf("retry of a job that is queued: %v", err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	work, err := js.Stream(t.Context(), contract.WorkStream(echo.Service))
	if err != nil {
		t.Fatal(err)
	}
	if err := work.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Retry(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	hire(t, s, 1, say)
	if job := await(t, s, ref); job.State != contract.JobSucceeded {
		t.Errorf("got %+v", job)
	}
}
