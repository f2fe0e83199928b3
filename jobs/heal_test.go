package jobs_test

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/jobs"
)

// ward is a broker whose queues are looked after by hand.
type ward struct {
	*testing.T
	nc *nats.Conn
	js jetstream.JetStream
	s  *jobs.Store
}

func openWard(t *testing.T) *ward {
	t.Helper()
	w := &ward{T: t, nc: brokertest.Connect(t, brokertest.Start(t))}
	w.s = open(t, w.nc)
	w.s.Hurry()
	var err error
	if w.js, err = jetstream.New(w.nc); err != nil {
		t.Fatal(err)
	}
	if err := w.s.Prepare(t.Context(), echo.Service); err != nil {
		t.Fatal(err)
	}
	return w
}

// heal makes a pass, and compares what was put right since there are queues.
func (w *ward) heal(want map[contract.HealKind]int64) {
	w.Helper()
	if err := w.s.Heal(w.Context(), echo.Service, "other"); err != nil {
		w.Fatal(err)
	}
	q, err := w.s.Queue(w.Context(), echo.Service)
	if err != nil || !maps.Equal(q.Healed, want) {
		w.Errorf("healed %v, want %v: %v", q.Healed, want, err)
	}
}

// state compares the state of a job, and the code of its error.
func (w *ward) state(ref contract.JobRef, state contract.JobState, code contract.Code) contract.Job {
	w.Helper()
	job, err := w.s.Get(w.Context(), ref)
	if err != nil || job.State != state || (job.Error == nil) != (code == "") || code != "" && job.Error.Code != code {
		w.Errorf("job %s: %+v, %v, want %s %s", ref.ID(), job, err, state, code)
	}
	return job
}

// purge deletes the messages of a job by hand.
func (w *ward) purge(ref contract.JobRef) {
	w.Helper()
	stream, err := w.js.Stream(w.Context(), contract.WorkStream(ref.Service))
	if err != nil {
		w.Fatal(err)
	}
	if err := stream.Purge(w.Context(), jetstream.WithPurgeSubject(ref.WorkSubject("*"))); err != nil {
		w.Fatal(err)
	}
}

// messages returns the number of messages in the queue of echo.
func (w *ward) messages() uint64 {
	w.Helper()
	stream, err := w.js.Stream(w.Context(), contract.WorkStream(echo.Service))
	if err != nil {
		w.Fatal(err)
	}
	return stream.CachedInfo().State.Msgs
}

// TestHealNothing has everything in its place.
func TestHealNothing(t *testing.T) {
	t.Parallel()
	w := openWard(t)
	hire(t, w.s, 1, byText)
	held := submit(t, w.s, `{"text":"hold"}`, contract.JobOptions{})
	awaitState(t, w.s, held, contract.JobRunning)
	queued := submit(t, w.s, `{"text":"1"}`, contract.JobOptions{QueueLimit: time.Hour})
	w.heal(nil)
	w.state(held, contract.JobRunning, "")
	w.state(queued, contract.JobQueued, "")
}

// TestHealRetry has whoever retried a job die before it was queued. Many find it at once.
func TestHealRetry(t *testing.T) {
	t.Parallel()
	w := openWard(t)
	ref := submit(t, w.s, `{"text":"42"}`, contract.JobOptions{})
	if _, err := w.s.Cancel(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	if _, err := w.s.Retry(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	w.purge(ref)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := w.s.Heal(t.Context(), echo.Service); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := w.messages(); n != 1 {
		t.Errorf("%d messages, want 1", n)
	}
	w.heal(map[contract.HealKind]int64{contract.HealRequeued: 1})
	hire(t, w.s, 1, say)
	if job := await(t, w.s, ref); job.State != contract.JobSucceeded || job.Attempt != 1 {
		t.Errorf("got %+v", job)
	}
}

// TestHealLost has the message of a running job purged by hand. The work on it ends, and so
// does the job.
func TestHealLost(t *testing.T) {
	t.Parallel()
	w := openWard(t)
	hire(t, w.s, 1, byText)
	ref := submit(t, w.s, `{"text":"hold"}`, contract.JobOptions{})
	awaitState(t, w.s, ref, contract.JobRunning)
	w.purge(ref)
	w.heal(map[contract.HealKind]int64{contract.HealLost: 1})
	w.state(ref, contract.JobFailed, contract.CodeUnavailable)
	next := submit(t, w.s, `{"text":"1"}`, contract.JobOptions{})
	if job := await(t, w.s, next); job.State != contract.JobSucceeded {
		t.Errorf("the slot was not given up: %+v", job)
	}
	w.heal(map[contract.HealKind]int64{contract.HealLost: 1})
}

// TestHealLate has the queue limit of a job pass without an instance.
func TestHealLate(t *testing.T) {
	t.Parallel()
	w := openWard(t)
	ref := submit(t, w.s, `{"text":"1"}`, contract.JobOptions{QueueLimit: time.Second})
	none := submit(t, w.s, `{"text":"2"}`, contract.JobOptions{})
	w.heal(nil)
	brokertest.Await(t, "the job to be late", func() bool {
		if err := w.s.Heal(t.Context(), echo.Service); err != nil {
			t.Fatal(err)
		}
		job, err := w.s.Get(t.Context(), ref)
		return err == nil && job.State == contract.JobFailed
	})
	w.heal(map[contract.HealKind]int64{contract.HealLate: 1})
	if job := w.state(ref, contract.JobFailed, contract.CodeDeadlineExceeded); job.Attempt != 0 || job.Finished.Sub(job.Created) < time.Second {
		t.Errorf("got %+v", job)
	}
	w.state(none, contract.JobQueued, "")
	if n := w.messages(); n != 1 {
		t.Errorf("%d messages, want 1", n)
	}
	if _, err := w.s.Retry(t.Context(), ref); err != nil {
		t.Errorf("retry: %v", err)
	}
}

// TestHealLeftover has a message stay whose job has ended.
func TestHealLeftover(t *testing.T) {
	t.Parallel()
	w := openWard(t)
	ref := submit(t, w.s, `{"text":"1"}`, contract.JobOptions{})
	if _, err := w.s.Cancel(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	if _, err := w.nc.Request(ref.WorkSubject(contract.ClassHigh), []byte(`{"text":"1"}`), patience); err != nil {
		t.Fatal(err)
	}
	w.heal(map[contract.HealKind]int64{contract.HealLeftover: 1})
	if n := w.messages(); n != 0 {
		t.Errorf("%d messages, want none", n)
	}
	w.state(ref, contract.JobCanceled, "")
}

// TestHealRefused has a direct publisher queue a job of a class that there is not. No
// consumer has it.
func TestHealRefused(t *testing.T) {
	t.Parallel()
	w := openWard(t)
	ref := contract.JobRef{Tenant: contract.DefaultTenant, Service: echo.Service, Operation: echo.Operation, Token: "a"}
	if _, err := w.nc.Request(ref.WorkSubject("low"), []byte(`{"text":"1"}`), patience); err != nil {
		t.Fatal(err)
	}
	w.heal(map[contract.HealKind]int64{contract.HealRefused: 1})
	w.state(ref, contract.JobFailed, contract.CodeInvalidArgument)
	if n := w.messages(); n != 0 {
		t.Errorf("%d messages, want none", n)
	}
}

// TestRefuse has an instance get such a job, by a consumer that was made by hand.
func TestRefuse(t *testing.T) {
	t.Parallel()
	w := openWard(t)
	c := consumerNamed(t, w.nc, "normal-default").CachedInfo().Config
	c.FilterSubject = contract.WorkSubjects(contract.DefaultTenant, echo.Service, "low") + "*.*"
	if _, err := w.js.UpdateConsumer(t.Context(), contract.WorkStream(echo.Service), c); err != nil {
		t.Fatal(err)
	}
	ref := contract.JobRef{Tenant: contract.DefaultTenant, Service: echo.Service, Operation: echo.Operation, Token: "a"}
	if _, err := w.nc.Request(ref.WorkSubject("low"), []byte(`{"text":"1"}`), patience); err != nil {
		t.Fatal(err)
	}
	instance := hire(t, w.s, 1, say)
	brokertest.Await(t, "the job to be refused", func() bool {
		_, err := w.s.Get(t.Context(), ref) // until then it is none
		return err == nil
	})
	w.state(ref, contract.JobFailed, contract.CodeInvalidArgument)
	instance.dismiss()
	if n := w.messages(); n != 0 {
		t.Errorf("%d messages, want none", n)
	}
}

// TestHealAdvisories has JetStream give messages up while nobody is there.
func TestHealAdvisories(t *testing.T) {
	t.Parallel()
	w := openWard(t)
	w.heal(nil) // makes the stream
	c := consumerNamed(t, w.nc, "normal-default")
	config := c.CachedInfo().Config
	config.MaxDeliver, config.AckWait = 1, 50*time.Millisecond
	if _, err := w.js.UpdateConsumer(t.Context(), contract.WorkStream(echo.Service), config); err != nil {
		t.Fatal(err)
	}
	ref := submit(t, w.s, `{"text":"1"}`, contract.JobOptions{})
	if _, err := c.Next(); err != nil { // and then silence
		t.Fatal(err)
	}
	w.awaitAdvisories(1)
	w.heal(map[contract.HealKind]int64{contract.HealUndelivered: 1})
	if job := w.state(ref, contract.JobFailed, contract.CodeUnavailable); !strings.Contains(job.Error.Detail, "normal-default of HEDDLE_WORK_echo") {
		t.Errorf("got %v", job.Error)
	}
	if n := w.messages(); n != 0 {
		t.Errorf("%d messages, want none", n)
	}

	submit(t, w.s, `{"text":"2"}`, contract.JobOptions{})
	m, err := c.Next()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.TermWithReason("by hand"); err != nil {
		t.Fatal(err)
	}
	w.awaitAdvisories(1)
	w.heal(map[contract.HealKind]int64{contract.HealUndelivered: 1, contract.HealTerminated: 1})
	w.awaitAdvisories(0)
}

// TestDeletedIsNotTerminated finds that a message that is deleted while an instance has it,
// as that of a job that is canceled, does not count as terminated by somebody.
func TestDeletedIsNotTerminated(t *testing.T) {
	t.Parallel()
	w := openWard(t)
	w.heal(nil)
	ref := submit(t, w.s, `{"text":"1"}`, contract.JobOptions{})
	if _, err := consumerNamed(t, w.nc, "normal-default").Next(); err != nil {
		t.Fatal(err)
	}
	stream, err := w.js.Stream(t.Context(), contract.WorkStream(echo.Service))
	if err != nil {
		t.Fatal(err)
	}
	m, err := stream.GetLastMsgForSubject(t.Context(), ref.WorkSubject(contract.ClassNormal))
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.DeleteMsg(t.Context(), m.Sequence); err != nil {
		t.Fatal(err)
	}
	w.awaitAdvisories(1)
	w.heal(nil)
	w.awaitAdvisories(0)
}

// awaitAdvisories waits until so many advisories are stored.
func (w *ward) awaitAdvisories(n uint64) {
	w.Helper()
	brokertest.Await(w, "advisories", func() bool {
		s, err := w.js.Stream(w.Context(), contract.AdvisoryStream)
		return err == nil && s.CachedInfo().State.Msgs == n
	})
}

// TestHealConsumers has a consumer that is paused alone, and one that is not.
func TestHealConsumers(t *testing.T) {
	t.Parallel()
	w := openWard(t)
	if _, err := w.js.PauseConsumer(t.Context(), contract.WorkStream(echo.Service), "high-default", time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	w.heal(map[contract.HealKind]int64{contract.HealConsumer: 1})
	if consumerNamed(t, w.nc, "high-default").CachedInfo().Paused {
		t.Error("it is paused alone")
	}
	if _, err := w.js.PauseConsumer(t.Context(), contract.WorkStream(echo.Service), "normal-default", time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	w.heal(map[contract.HealKind]int64{contract.HealConsumer: 2})
	if !consumerNamed(t, w.nc, "high-default").CachedInfo().Paused {
		t.Error("it is not paused with its service")
	}
}

// TestUpkeepTakesTurns has many look after the queues at once. One of them makes each pass.
func TestUpkeepTakesTurns(t *testing.T) {
	t.Parallel()
	w := openWard(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := w.s.KeepOnce(t.Context(), echo.Service); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	kept, err := w.js.Stream(t.Context(), "KV_"+contract.UpkeepBucket)
	if err != nil {
		t.Fatal(err)
	}
	// A pass over the queue, one over the records, and nothing to keep of them.
	if n := kept.CachedInfo().State.LastSeq; n != 2 {
		t.Errorf("%d writes, want 2", n)
	}
}

// TestUpkeepIsCheap counts what a pass asks the broker: as much for many jobs as for few,
// within what one pass looks at.
func TestUpkeepIsCheap(t *testing.T) {
	t.Parallel()
	w := openWard(t)
	requests := func() int {
		t.Helper()
		var asked []*nats.Subscription
		for _, subject := range []string{"$JS.API.>", "$KV.>"} {
			sub, err := w.nc.SubscribeSync(subject)
			if err != nil {
				t.Fatal(err)
			}
			asked = append(asked, sub)
		}
		if err := w.s.Heal(t.Context(), echo.Service); err != nil {
			t.Fatal(err)
		}
		if err := w.nc.Flush(); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, sub := range asked {
			pending, _, err := sub.Pending()
			if err != nil {
				t.Fatal(err)
			}
			n += pending
			_ = sub.Unsubscribe()
		}
		return n
	}
	few := requests()
	for i := range 500 {
		submit(t, w.s, fmt.Sprintf(`{"text":"%d"}`, i), contract.JobOptions{QueueLimit: time.Hour})
	}
	// One more: the records of up to 512 jobs are asked for at once.
	if many := requests(); few > 25 || many > few+1 {
		t.Errorf("%d requests without jobs and %d with 500", few, many)
	}
}
