package jobs_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/jobs"
)

// TestPause has an instance ask for a job while its service is paused, and get it as soon
// as that is resumed: well before the instance would ask again, which is after 5 s.
func TestPause(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	s := open(t, nc)
	if err := s.Pause(t.Context(), echo.Service); err != nil {
		t.Fatal(err)
	}
	hire(t, s, 1, say)
	ref := submit(t, s, `{"text":"42"}`, contract.JobOptions{})
	consumer := consumerNamed(t, nc, contract.WorkConsumer(contract.ClassNormal, contract.DefaultTenant))
	// The instance has asked for the job and did not get it.
	brokertest.Await(t, "the instance to ask", func() bool {
		info, err := consumer.Info(t.Context())
		return err == nil && info.NumWaiting > 0 && info.NumPending == 1
	})
	if job, err := s.Get(t.Context(), ref); err != nil || job.State != contract.JobQueued {
		t.Fatalf("while paused: %+v, %v", job, err)
	}
	for range 2 {
		if err := s.Resume(t.Context(), echo.Service); err != nil {
			t.Fatal(err)
		}
	}
	soon, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
	defer cancel()
	if job, err := s.Wait(soon, ref); err != nil || job.State != contract.JobSucceeded {
		t.Errorf("after it was resumed: %s, %v", job.State, err)
	}
}

// consumerNamed returns a consumer of echo.
func consumerNamed(t testing.TB, nc *nats.Conn, name string) jetstream.Consumer {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	c, err := js.Consumer(t.Context(), contract.WorkStream(echo.Service), name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestPauseAllTenants finds that the consumers of other tenants are paused with the
// service.
func TestPauseAllTenants(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	s := open(t, nc)
	if err := s.Prepare(t.Context(), echo.Service); err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	_, err = js.CreateConsumer(t.Context(), contract.WorkStream(echo.Service), jetstream.ConsumerConfig{
		Durable: contract.WorkConsumer(contract.ClassHigh, "other"), AckPolicy: jetstream.AckExplicitPolicy,
		FilterSubject: contract.WorkSubjects("other", echo.Service, contract.ClassHigh) + "*.*",
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, paused := range []bool{true, false} {
		do := s.Resume
		if paused {
			do = s.Pause
		}
		if err := do(t.Context(), echo.Service); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"high-default", "normal-default", "high-other"} {
			if info := consumerNamed(t, nc, name).CachedInfo(); info.Paused != paused {
				t.Errorf("%s is paused: %t, want %t", name, info.Paused, paused)
			}
		}
	}
}

// TestQueue looks at a queue with jobs in every place.
func TestQueue(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	s := open(t, nc)
	if q, err := s.Queue(t.Context(), echo.Service); err != nil || q.Limit != jobs.DefaultQueue || q.Queued != 0 || q.Shares == nil {
		t.Errorf("without anything: %+v, %v", q, err)
	}
	submit(t, s, `{"text":"0"}`, contract.JobOptions{})
	if _, err := consumerNamed(t, nc, "normal-default").Next(); err != nil { // as an instance does
		t.Fatal(err)
	}
	first := submit(t, s, `{"text":"1"}`, contract.JobOptions{})
	submit(t, s, `{"text":"2"}`, contract.JobOptions{Class: contract.ClassHigh})
	submit(t, s, `{"text":"3"}`, contract.JobOptions{Class: contract.ClassHigh})
	if _, err := nc.Request(contract.JobRef{Tenant: "nobody", Service: echo.Service, Operation: echo.Operation, Token: "x"}.WorkSubject(contract.ClassNormal), []byte(`{}`), patience); err != nil {
		t.Fatal(err)
	}
	var q contract.JobQueue
	brokertest.Await(t, "the consumers to know of all jobs", func() bool {
		var err error
		if q, err = s.Queue(t.Context(), echo.Service); err != nil {
			t.Fatal(err)
		}
		return len(q.Shares) == 2 && q.Shares[0].Queued == 2 && q.Shares[1].Queued == 1
	})
	job, err := s.Get(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	if q.Service != echo.Service || q.Queued != 4 || q.Taken != 1 || !q.Oldest.Equal(job.Created) || !q.PausedUntil.IsZero() || len(q.Shares) != 2 {
		t.Fatalf("got %+v, oldest should be of %s", q, job.Created)
	}
	if high := q.Shares[0]; high.Class != contract.ClassHigh || high.Tenant != contract.DefaultTenant || high.Queued != 2 || high.Taken != 0 || !high.Oldest.After(q.Oldest) {
		t.Errorf("high: %+v", high)
	}
	if normal := q.Shares[1]; normal.Class != contract.ClassNormal || normal.Queued != 1 || normal.Taken != 1 || !normal.Oldest.Equal(q.Oldest) {
		t.Errorf("normal: %+v", normal)
	}
}

// TestQueuesOnNATS asks the jobs service.
func TestQueuesOnNATS(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	s := open(t, nc)
	service, err := jobs.Serve(t.Context(), s, []contract.Descriptor{echo})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(service.Close)
	ask := func(verb, body string, v any) contract.Code {
		t.Helper()
		m, err := nc.Request(contract.JobsSubject(verb), []byte(body), patience)
		if err != nil {
			t.Fatal(err)
		}
		if m.Header.Get(contract.HeaderErrorCode) != "" {
			var f contract.Error
			if err := json.Unmarshal(m.Data, &f); err != nil {
				t.Fatal(err)
			}
			return f.Code
		}
		if err := json.Unmarshal(m.Data, v); err != nil {
			t.Fatal(err)
		}
		return ""
	}
	for _, body := range []string{"", "{}", `{"service":"echo"}`} {
		var all contract.JobQueues
		if code := ask("queues", body, &all); code != "" || len(all.Queues) != 1 || all.Queues[0].Service != echo.Service {
			t.Errorf("queues %s: %s %+v", body, code, all)
		}
	}
	var q contract.JobQueue
	if code := ask("pause", `{"service":"echo"}`, &q); code != "" || q.PausedUntil.Before(time.Now()) {
		t.Errorf("pause: %s %+v", code, q)
	}
	q = contract.JobQueue{}
	if code := ask("resume", `{"service":"echo"}`, &q); code != "" || !q.PausedUntil.IsZero() {
		t.Errorf("resume: %s %+v", code, q)
	}
	for body, want := range map[string]contract.Code{
		`{"service":"nobody"}`: contract.CodeNotFound, `{"service":"E"}`: contract.CodeInvalidArgument, `{"name":"echo"}`: contract.CodeInvalidArgument, "": contract.CodeMalformedRequest,
	} {
		for _, verb := range []string{"pause", "resume"} {
			if code := ask(verb, body, &q); code != want {
				t.Errorf("%s %s: %s, want %s", verb, body, code, want)
			}
		}
	}
}
