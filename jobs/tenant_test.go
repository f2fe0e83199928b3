package jobs_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/jobs"
)

// submitFor submits a job of a tenant.
func submitFor(t testing.TB, s *jobs.Store, tenant, text string, o contract.JobOptions) contract.JobRef {
	t.Helper()
	job, _, err := s.Submit(t.Context(), jobs.Submission{Tenant: tenant, Endpoint: echo, Body: []byte(`{"text":"` + text + `"}`), Options: o})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := contract.ParseJobID(job.ID)
	if err != nil {
		t.Fatal(err)
	}
	ref.Tenant = tenant
	return ref
}

// workStream returns the stream of the jobs of echo.
func workStream(t testing.TB, nc *nats.Conn) jetstream.Stream {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), contract.WorkStream(echo.Service))
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

// consumerOf returns the consumer of a tenant's normal jobs.
func consumerOf(tenant string) string { return contract.WorkConsumer(contract.ClassNormal, tenant) }

// awaitConsumer waits until the consumer of a tenant is there, or is not.
func awaitConsumer(t testing.TB, stream jetstream.Stream, tenant string, there bool) {
	t.Helper()
	brokertest.Await(t, "the consumer of "+tenant+" to be there: "+strconv.FormatBool(there), func() bool {
		_, err := stream.Consumer(t.Context(), consumerOf(tenant))
		return err == nil && there || errors.Is(err, jetstream.ErrConsumerNotFound) && !there
	})
}

// TestTenants does to jobs of two tenants what can be done to jobs. What they have in
// common changes nothing.
func TestTenants(t *testing.T) {
	t.Parallel()
	s := open(t, brokertest.Connect(t, brokertest.Start(t)))
	var refs []contract.JobRef
	for _, tenant := range []string{"acme", "other"} {
		refs = append(refs, submitFor(t, s, tenant, "of "+tenant, contract.JobOptions{Key: "same", Class: contract.ClassHigh}))
	}
	if _, _, err := s.Submit(t.Context(), jobs.Submission{Tenant: "acme", Endpoint: echo, Body: []byte(`{"text":"more"}`), Options: contract.JobOptions{Key: "same"}}); code(err) != contract.CodeInvalidArgument {
		t.Errorf("the key of another request: %v", err)
	}
	if _, err := s.Cancel(t.Context(), refs[0]); err != nil {
		t.Fatal(err)
	}
	if job, err := s.Get(t.Context(), refs[1]); err != nil || job.State != contract.JobQueued {
		t.Errorf("the other one: %s, %v", job.State, err)
	}
	hire(t, s, 1, say)
	await(t, s, refs[1])
	if job, err := s.Retry(t.Context(), refs[0]); err != nil || job.State != contract.JobQueued {
		t.Fatalf("got %+v, %v", job, err)
	}
	for i, tenant := range []string{"acme", "other"} {
		if job := await(t, s, refs[i]); job.State != contract.JobSucceeded || string(job.Result.Value) != `{"text":"of `+tenant+`"}` {
			t.Errorf("job of %s: %+v", tenant, job)
		}
	}
	mine := refs[0]
	mine.Tenant = contract.DefaultTenant
	if _, err := s.Get(t.Context(), mine); code(err) != contract.CodeNotFound {
		t.Errorf("a job of acme for the default tenant: %v", err)
	}
}

func TestTenantIsChecked(t *testing.T) {
	t.Parallel()
	s := open(t, brokertest.Connect(t, brokertest.Start(t)))
	for _, tenant := range []string{"*", "a.b", "a b"} {
		_, _, err := s.Submit(t.Context(), jobs.Submission{Tenant: tenant, Endpoint: echo, Body: []byte(`{"text":"42"}`)})
		if code(err) != contract.CodeInvalidArgument || contract.FromError(err).Field != "tenant" {
			t.Errorf("%q: %v", tenant, err)
		}
	}
}

// TestTenantIsHeardOf has an instance that never looks do the jobs of tenants that it did
// not know.
func TestTenantIsHeardOf(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	s := open(t, nc)
	hire(t, s, 1, say).StopLooking()
	for i := range 3 {
		await(t, s, submitFor(t, s, "t"+strconv.Itoa(i), "42", contract.JobOptions{}))
	}
}

// TestTenantIsFound publishes the job of a new tenant on the work subject.
func TestTenantIsFound(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	s := open(t, nc)
	hire(t, s, 1, say)
	await(t, s, submit(t, s, `{"text":"first"}`, contract.JobOptions{}))
	for _, tenant := range []string{"direct", "next"} {
		ref := contract.JobRef{Tenant: tenant, Service: echo.Service, Operation: echo.Operation, Token: "byhand"}
		if _, err := nc.Request(ref.WorkSubject(contract.ClassNormal), []byte(`{"text":"42"}`), patience); err != nil {
			t.Fatal(err)
		}
		if job := await(t, s, ref); job.State != contract.JobSucceeded {
			t.Errorf("got %+v", job)
		}
	}
}

// TestIdleTenant lets the consumer of a tenant without jobs go. Its next job is done.
func TestIdleTenant(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	s := open(t, nc)
	s.KeepIdle(100 * time.Millisecond)
	first := submitFor(t, s, "acme", "1", contract.JobOptions{})
	stream := workStream(t, nc)
	c := hire(t, s, 1, say)
	await(t, s, first)
	c.dismiss()
	awaitConsumer(t, stream, "acme", false)
	second := submitFor(t, s, "acme", "2", contract.JobOptions{})
	hire(t, s, 1, say)
	await(t, s, second)
}

// TestConsumerIsDeleted takes the consumer away from jobs that wait for another attempt,
// run, and are queued. All of them end, and none is left at the broker.
func TestConsumerIsDeleted(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	s := open(t, nc)
	failed, began, end := make(chan struct{}), make(chan struct{}), make(chan struct{})
	hire(t, s, 2, func(_ context.Context, a *jobs.Attempt) ([]byte, error) {
		switch string(a.Message().Data) {
		case `{"text":"fails"}`:
			select {
			case <-failed:
			default:
				close(failed)
				return nil, contract.Errorf(contract.CodeUpstream, "not now")
			}
		case `{"text":"runs"}`:
			select {
			case <-began:
			default:
				close(began)
			}
			<-end
		}
		return a.Message().Data, nil
	})
	refs := []contract.JobRef{submitFor(t, s, "acme", "fails", contract.JobOptions{}), submitFor(t, s, "acme", "runs", contract.JobOptions{})}
	<-failed
	<-began
	awaitAttempt(t, s, refs[1], 1)
	stream := workStream(t, nc)
	if err := stream.DeleteConsumer(t.Context(), consumerOf("acme")); err != nil {
		t.Fatal(err)
	}
	refs = append(refs, submitFor(t, s, "acme", "queued", contract.JobOptions{}))
	close(end)
	for _, ref := range refs {
		if job := await(t, s, ref); job.State != contract.JobSucceeded {
			t.Errorf("got %+v", job)
		}
	}
	brokertest.Await(t, "all jobs are acknowledged", func() bool {
		info, err := stream.Info(t.Context())
		return err == nil && info.State.Msgs == 0
	})
}

// TestWorkStreamIsDeleted takes the whole stream away. It is made again.
func TestWorkStreamIsDeleted(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	s := open(t, nc)
	hire(t, s, 1, say)
	await(t, s, submitFor(t, s, "acme", "1", contract.JobOptions{}))
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(t.Context(), contract.WorkStream(echo.Service)); err != nil {
		t.Fatal(err)
	}
	await(t, s, submitFor(t, s, "acme", "2", contract.JobOptions{}))
	await(t, s, submitFor(t, s, contract.DefaultTenant, "3", contract.JobOptions{}))
}

// TestMoreTenantsThanConsumers has more tenants with jobs than the broker takes consumers.
// The job of the last one waits until another tenant has had none for a while.
func TestMoreTenantsThanConsumers(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	s := open(t, nc)
	s.KeepIdle(time.Second)
	first := submitFor(t, s, "first", "1", contract.JobOptions{})
	stream := workStream(t, nc)
	config := stream.CachedInfo().Config
	config.MaxConsumers = len(contract.JobClasses()) + 1
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(t.Context(), config.Name); err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), config); err != nil { // the limit counts from the beginning only
		t.Fatal(err)
	}
	first = submitFor(t, s, "first", "1", contract.JobOptions{Key: first.Token})
	c := hire(t, s, 1, say)
	await(t, s, first)
	second := submitFor(t, s, "second", "2", contract.JobOptions{})
	brokertest.Await(t, "the consumer of the first", func() bool {
		_, err := stream.Consumer(t.Context(), consumerOf("first"))
		return err == nil
	})
	if job, err := s.Get(t.Context(), second); err != nil || job.State != contract.JobQueued {
		t.Errorf("while the first tenant has the consumer: %s, %v", job.State, err)
	}
	c.dismiss()
	hire(t, s, 1, say)
	await(t, s, second)
}

// TestPauseOfTenants pauses a service while one tenant has a consumer, and before another
// one gets its own.
func TestPauseOfTenants(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	s := open(t, nc)
	hire(t, s, 1, say)
	await(t, s, submitFor(t, s, "known", "1", contract.JobOptions{}))
	if err := s.Pause(t.Context(), echo.Service); err != nil {
		t.Fatal(err)
	}
	var refs []contract.JobRef
	stream := workStream(t, nc)
	for _, tenant := range []string{"known", "new"} {
		ref := submitFor(t, s, tenant, "2", contract.JobOptions{})
		refs = append(refs, ref)
		brokertest.Await(t, "the instance to ask", func() bool {
			c, err := stream.Consumer(t.Context(), consumerOf(tenant))
			return err == nil && c.CachedInfo().Paused && c.CachedInfo().NumWaiting > 0 && c.CachedInfo().NumPending == 1
		})
		if job, err := s.Get(t.Context(), ref); err != nil || job.State != contract.JobQueued {
			t.Errorf("job of %s while paused: %s, %v", tenant, job.State, err)
		}
	}
	if err := s.Resume(t.Context(), echo.Service); err != nil {
		t.Fatal(err)
	}
	for _, ref := range refs {
		await(t, s, ref)
	}
}

// TestTenantsTakeTurns has a tenant with one job meet one with many. It is not behind them
// all, on an instance with one slot.
func TestTenantsTakeTurns(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	s := open(t, nc)
	const many = 50
	began := make(chan string, many+1)
	next := make(chan struct{})
	hire(t, s, 1, func(_ context.Context, a *jobs.Attempt) ([]byte, error) {
		began <- a.Ref().Tenant
		<-next
		return a.Message().Data, nil
	})
	var refs []contract.JobRef
	for range many {
		refs = append(refs, submitFor(t, s, "neighbour", "1", contract.JobOptions{}))
	}
	order := []string{<-began}
	refs = append(refs, submitFor(t, s, "victim", "2", contract.JobOptions{}))
	awaitConsumer(t, workStream(t, nc), "victim", true)
	for range many {
		next <- struct{}{}
		order = append(order, <-began)
	}
	close(next)
	for _, ref := range refs {
		await(t, s, ref)
	}
	if at := slices.Index(order, "victim"); at > 4 {
		t.Errorf("the victim's job was number %d of %d", at, len(order))
	}
}

// TestManyTenants has more tenants than slots. Jobs are not asked for only to be given back
// because those of others fill the slots: each time they would be read again.
func TestManyTenants(t *testing.T) {
	t.Parallel()
	const tenants, each = 10, 6
	nc := brokertest.Connect(t, brokertest.Start(t))
	s := open(t, nc)
	var refs []contract.JobRef
	for i := range tenants * each {
		refs = append(refs, submitFor(t, s, "t"+strconv.Itoa(i%tenants), "42", contract.JobOptions{}))
	}
	hire(t, s, 2, func(_ context.Context, a *jobs.Attempt) ([]byte, error) {
		<-time.After(20 * time.Millisecond) // the work, long enough that none is taken in advance
		return a.Message().Data, nil
	})
	for _, ref := range refs {
		await(t, s, ref)
	}
	delivered := uint64(0)
	consumers := workStream(t, nc).ListConsumers(t.Context())
	for c := range consumers.Info() {
		delivered += c.Delivered.Consumer
	}
	if err := consumers.Err(); err != nil || delivered > 3*uint64(len(refs)) {
		t.Errorf("%d jobs were delivered %d times, %v", len(refs), delivered, err)
	} else {
		t.Logf("%d jobs were delivered %d times", len(refs), delivered)
	}
}
