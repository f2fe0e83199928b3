package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/jobs"
)

// everySecond is a cron expression.
const everySecond = "* * * * * *"

// serve serves jobs until the test ends or the function it returns is called.
func serve(t testing.TB, nc *nats.Conn) (end func()) {
	t.Helper()
	service, err := jobs.Serve(context.WithoutCancel(t.Context()), open(t, nc), []contract.Descriptor{echo})
	if err != nil {
		t.Fatal(err)
	}
	var ended atomic.Bool
	end = func() {
		if ended.CompareAndSwap(false, true) {
			service.Close()
		}
	}
	t.Cleanup(end)
	return end
}

// schedule makes a schedule of an echo.
func schedule(t testing.TB, s *jobs.Store, when contract.Timing, o contract.JobOptions) (contract.Schedule, contract.JobRef) {
	t.Helper()
	doc, _, err := s.CreateSchedule(t.Context(), jobs.Submission{Endpoint: echo, Body: []byte(`{"text":"42"}`), Options: o}, when)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := contract.ParseScheduleID(doc.ID)
	if err != nil {
		t.Fatal(err)
	}
	return doc, ref
}

// scheduleRefused returns why a schedule is not made.
func scheduleRefused(t testing.TB, s *jobs.Store, when contract.Timing, o contract.JobOptions) *contract.Error {
	t.Helper()
	_, _, err := s.CreateSchedule(t.Context(), jobs.Submission{Endpoint: echo, Body: []byte(`{"text":"42"}`), Options: o}, when)
	f, ok := errors.AsType[*contract.Error](err)
	if !ok {
		t.Fatalf("got %v, want an error of ours", err)
	}
	return f
}

// ended returns the documents of the jobs of echo that end from now on.
func ended(t testing.TB, nc *nats.Conn) <-chan contract.Job {
	t.Helper()
	events := make(chan contract.Job, 1000)
	ref := contract.JobRef{Tenant: "*", Service: echo.Service, Operation: "*", Token: "*"}
	_, err := nc.Subscribe(ref.EventSubject(), func(m *nats.Msg) {
		if contract.JobState(m.Header.Get(contract.HeaderState)).Terminal() {
			var job contract.Job
			if err := json.Unmarshal(m.Data, &job); err != nil {
				t.Error(err)
			}
			events <- job
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	return events
}

// next waits for a job to end.
func next(t testing.TB, events <-chan contract.Job) contract.Job {
	t.Helper()
	select {
	case job := <-events:
		return job
	case <-time.After(patience):
		t.Fatal("waited in vain for a job of the schedule")
		return contract.Job{}
	}
}

// dueConsumer returns what is known of the consumer of what is due, nil if there is none.
func dueConsumer(t testing.TB, nc *nats.Conn) *jetstream.ConsumerInfo {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	c, err := js.Consumer(t.Context(), contract.ScheduleStream, contract.DueConsumer)
	if err != nil {
		return nil
	}
	return c.CachedInfo()
}

// dueMessages returns how many messages are due and not made a job of.
func dueMessages(t testing.TB, nc *nats.Conn) int {
	t.Helper()
	c := dueConsumer(t, nc)
	if c == nil {
		t.Fatal("there is no consumer of what is due")
	}
	return int(c.NumPending) + c.NumAckPending
}

// lastSequence returns how many messages the stream of the schedules ever had.
func lastSequence(t testing.TB, nc *nats.Conn) uint64 {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), contract.ScheduleStream)
	if err != nil {
		t.Fatal(err)
	}
	return stream.CachedInfo().State.LastSeq
}

// TestScheduleOnce has a job made at a time, by one of two that could.
func TestScheduleOnce(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t)
	nc := brokertest.Connect(t, b)
	s := open(t, nc)
	serve(t, brokertest.Connect(t, b))
	serve(t, brokertest.Connect(t, b))
	hire(t, s, 1, say)
	events := ended(t, nc)
	at := time.Now().Add(1200 * time.Millisecond)
	doc, ref := schedule(t, s, contract.Timing{At: at}, contract.JobOptions{Class: contract.ClassHigh, Retention: time.Hour})
	if there, err := s.GetSchedule(t.Context(), ref); err != nil || there.RunAt != doc.RunAt || there.Next.Before(at) || there.Class != contract.ClassHigh || there.Retention != "1h0m0s" || string(there.Request) != `{"text":"42"}` {
		t.Errorf("got %+v, %v", there, err)
	}
	job := next(t, events)
	if job.ID != doc.ID || job.Schedule != doc.ID || job.Class != contract.ClassHigh || job.State != contract.JobSucceeded || string(job.Result.Value) != `{"text":"42"}` {
		t.Errorf("made %+v of schedule %s", job, doc.ID)
	}
	if job.Created.Before(at) {
		t.Errorf("the job was made at %s, before %s", job.Created, at)
	}
	if kept := job.Result.Expires.Sub(job.Finished); kept < 59*time.Minute || kept > 61*time.Minute {
		t.Errorf("the result is kept for %s", kept)
	}
	for _, err := range []error{errOf(s.GetSchedule(t.Context(), ref)), s.DeleteSchedule(t.Context(), ref)} {
		if !errors.Is(err, contract.CodeNotFound) {
			t.Errorf("afterwards: %v, want %s", err, contract.CodeNotFound)
		}
	}
	if ids := list(t, s, contract.JobQuery{}); len(ids) != 1 {
		t.Errorf("the jobs are %v", ids)
	}
}

func errOf[T any](_ T, err error) error { return err }

// TestScheduleAgainAndAgain lets a schedule be due for some seconds, with two services that
// hear of it, and deletes it.
func TestScheduleAgainAndAgain(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t)
	nc := brokertest.Connect(t, b)
	s := open(t, nc)
	serve(t, brokertest.Connect(t, b))
	serve(t, brokertest.Connect(t, b))
	hire(t, s, 1, say)
	events := ended(t, nc)
	doc, ref := schedule(t, s, contract.Timing{Cron: everySecond}, contract.JobOptions{})
	if doc.TimeZone != "UTC" || doc.Next.Before(doc.Created) {
		t.Errorf("made %+v", doc)
	}
	made := make(map[string]bool)
	seconds := make(map[int64]bool)
	for range 4 {
		job := next(t, events)
		if job.Schedule != doc.ID || made[job.ID] {
			t.Errorf("made %+v after %v", job, made)
		}
		made[job.ID], seconds[job.Created.Unix()] = true, true
	}
	if len(seconds) < 3 { // a late one can be in the second of the next
		t.Errorf("the jobs were made in the seconds %v", seconds)
	}
	brokertest.Await(t, "the last job is known", func() bool {
		there, err := s.GetSchedule(t.Context(), ref)
		return err == nil && there.LastJob != ""
	})
	if err := s.DeleteSchedule(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	// Another schedule shows that time goes on.
	_, other := schedule(t, s, contract.Timing{At: time.Now().Add(2 * time.Second)}, contract.JobOptions{})
	more := 0
	for next(t, events).ID != other.ID() {
		more++
	}
	if more > 2 { // one that was due, and one in the last events
		t.Errorf("a schedule that was deleted made %d jobs", more)
	}
}

// TestDueWhileNobodyServes makes the job later, and one of all that were due.
func TestDueWhileNobodyServes(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	s := open(t, nc)
	end := serve(t, nc)
	brokertest.Await(t, "the consumer is there", func() bool { return dueConsumer(t, nc) != nil })
	once, _ := schedule(t, s, contract.Timing{At: time.Now().Add(time.Second)}, contract.JobOptions{})
	end()
	again, ref := schedule(t, s, contract.Timing{Cron: everySecond}, contract.JobOptions{})
	brokertest.Await(t, "some are due", func() bool { return lastSequence(t, nc) >= 2+1+3 })
	if n := dueMessages(t, nc); n != 2 {
		t.Errorf("%d are due, want one of each schedule", n)
	}
	if err := s.DeleteSchedule(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	if ids := list(t, s, contract.JobQuery{}); ids != nil {
		t.Errorf("there are the jobs %v", ids)
	}
	events := ended(t, nc)
	hire(t, s, 1, say)
	serve(t, nc)
	got := []string{next(t, events).Schedule, next(t, events).Schedule}
	if want := []string{once.ID, again.ID}; !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
		t.Errorf("made jobs of %v, want %v", got, want)
	}
	brokertest.Await(t, "nothing is due", func() bool { return dueMessages(t, nc) == 0 })
	if ids := list(t, s, contract.JobQuery{}); len(ids) != 2 {
		t.Errorf("there are the jobs %v", ids)
	}
}

// TestScheduleSurvivesCrash loses a jobs service between the job and the acknowledgement.
func TestScheduleSurvivesCrash(t *testing.T) {
	t.Parallel()
	b := brokertest.Listen(t)
	nc := b.Connect()
	s := open(t, nc)
	events := ended(t, nc)
	hire(t, s, 1, say)
	crashed := make(chan struct{})
	dying, err := nats.Connect(b.URL, nats.NoReconnect(), nats.SetCustomDialer(silencer{}), nats.ClosedHandler(func(*nats.Conn) { close(crashed) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dying.Close)
	serve(t, dying)
	doc, _ := schedule(t, s, contract.Timing{At: time.Now().Add(time.Second)}, contract.JobOptions{})
	if job := next(t, events); job.ID != doc.ID {
		t.Fatalf("made %+v", job)
	}
	select {
	case <-crashed:
	case <-time.After(patience):
		t.Fatal("the service did not acknowledge")
	}
	if n := dueMessages(t, nc); n != 1 {
		t.Errorf("%d are due, want the one that was not acknowledged", n)
	}
	serve(t, b.Connect())
	brokertest.Await(t, "nothing is due", func() bool { return dueMessages(t, nc) == 0 })
	if ids := list(t, s, contract.JobQuery{}); !slices.Equal(ids, []string{doc.ID}) {
		t.Errorf("the jobs are %v, want %s", ids, doc.ID)
	}
	if job, err := s.Get(t.Context(), refOf(t, doc.ID)); err != nil || job.Attempt != 1 {
		t.Errorf("the job is %+v, %v", job, err)
	}
}

func refOf(t testing.TB, id string) contract.JobRef {
	t.Helper()
	ref, err := contract.ParseJobID(id)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// silencer makes connections that break instead of acknowledging what is due.
type silencer struct{}

// Dial implements nats.CustomDialer.
func (silencer) Dial(network, address string) (net.Conn, error) {
	c, err := net.DialTimeout(network, address, patience)
	return silenced{c}, err
}

type silenced struct{ net.Conn }

// Write implements net.Conn.
func (c silenced) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "$JS.ACK."+contract.ScheduleStream) {
		_ = c.Close()
		return 0, net.ErrClosed
	}
	return c.Conn.Write(p)
}

// TestSchedulesSurviveRestart starts the broker again: schedules are as they were, what was
// due meanwhile is made up for once, and what was deleted stays so.
func TestSchedulesSurviveRestart(t *testing.T) {
	t.Parallel()
	b := brokertest.Listen(t)
	nc := b.Connect()
	s := open(t, nc)
	serve(t, b.Connect())
	events := ended(t, nc)
	_, deleted := schedule(t, s, contract.Timing{Cron: everySecond}, contract.JobOptions{})
	if err := s.DeleteSchedule(t.Context(), deleted); err != nil {
		t.Fatal(err)
	}
	yearly, ref := schedule(t, s, contract.Timing{Cron: "0 6 24 12 *", TimeZone: "Europe/Berlin"}, contract.JobOptions{Attempts: 2, Accept: contract.MediaText})
	once, _ := schedule(t, s, contract.Timing{At: time.Now().Add(time.Second)}, contract.JobOptions{})
	again, againRef := schedule(t, s, contract.Timing{Cron: "*/2 * * * * *"}, contract.JobOptions{})
	b.Stop()
	down := time.Now()
	<-time.After(5 * time.Second) // of the clock that the schedules go by
	up := time.Now()
	b.Start()
	brokertest.Await(t, "the broker answers", func() bool { _, err := s.GetSchedule(t.Context(), ref); return err == nil })
	if there, err := s.GetSchedule(t.Context(), ref); err != nil || !reflect.DeepEqual(there.ScheduleRequest, yearly.ScheduleRequest) || !there.Next.Equal(yearly.Next) {
		t.Errorf("got %+v, %v, want %+v", there, err, yearly)
	}
	hire(t, s, 1, say)
	seen, missed := make(map[string]int), 0
	for seen[once.ID] == 0 || seen[again.ID] < 3 {
		job := next(t, events)
		seen[job.Schedule]++
		if job.Schedule == again.ID && job.Created.After(down) && job.Created.Before(up.Truncate(2*time.Second).Add(2*time.Second)) {
			missed++
		}
	}
	if missed > 1 || seen[once.ID] != 1 || seen[deleted.ID()] != 0 {
		t.Errorf("after %s without the broker %d jobs were made up for; in all %v", up.Sub(down), missed, seen)
	}
	if err := s.DeleteSchedule(t.Context(), againRef); err != nil {
		t.Fatal(err)
	}
}

// TestDueWaitsForRoom has a schedule be due while the queue is full.
func TestDueWaitsForRoom(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	s, err := jobs.Open(nc, jobs.Config{Queue: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	first := submit(t, s, `{"text":"first"}`, contract.JobOptions{})
	serve(t, nc)
	events := ended(t, nc)
	doc, _ := schedule(t, s, contract.Timing{At: time.Now().Add(time.Second)}, contract.JobOptions{})
	brokertest.Await(t, "it was tried", func() bool { return dueConsumer(t, nc) != nil && dueConsumer(t, nc).NumRedelivered > 0 })
	hire(t, s, 1, say)
	if a, b := next(t, events), next(t, events); a.ID != first.ID() || b.ID != doc.ID {
		t.Errorf("the jobs were %s and %s", a.ID, b.ID)
	}
}

func TestScheduleRefused(t *testing.T) {
	t.Parallel()
	s := open(t, brokertest.Connect(t, brokertest.Start(t)))
	now := time.Now()
	for _, c := range []struct {
		when  contract.Timing
		field string
		words string
	}{
		{contract.Timing{At: now.Add(-time.Second)}, "run_at", "in the future"},
		{contract.Timing{At: now.Add(11 * 365 * 24 * time.Hour)}, "run_at", "within ten years"},
		{contract.Timing{Cron: "0 6"}, "cron", "has 2 fields"},
		{contract.Timing{Cron: "0 0 30 2 *"}, "cron", "never due"},
		{contract.Timing{Cron: "@daily", TimeZone: "Mars/Olympus"}, "time_zone", "Europe/Berlin"},
		{contract.Timing{Cron: "@daily", TimeZone: "Local"}, "time_zone", "Europe/Berlin"},
		{contract.Timing{Cron: "@daily", TimeZone: "../UTC"}, "time_zone", "Europe/Berlin"},
	} {
		if f := scheduleRefused(t, s, c.when, contract.JobOptions{}); f.Code != contract.CodeInvalidArgument || f.Field != c.field || !strings.Contains(f.Detail, c.words) {
			t.Errorf("%+v: %v", c.when, f)
		}
	}
}

// TestBrokerTakesExpressions holds that the broker takes what is taken here.
func TestBrokerTakesExpressions(t *testing.T) {
	t.Parallel()
	s := open(t, brokertest.Connect(t, brokertest.Start(t)))
	for _, text := range []string{
		"0 6 * * MON-FRI", "?/5 * ? * *", "5/20 * * * *", "*/70 * * * *", "1-5/2,30 0-23/3 1 jan,Dec *", "00 06 01 01 0", "* * * * * *", "59 59 23 31 12 6",
		"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly",
	} {
		for _, zone := range []string{"", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+12"} {
			doc, ref := schedule(t, s, contract.Timing{Cron: text, TimeZone: zone}, contract.JobOptions{})
			if doc.Next.IsZero() {
				t.Errorf("%s: %+v", text, doc)
			}
			if err := s.DeleteSchedule(t.Context(), ref); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestScheduleWithKey makes the same schedule again.
func TestScheduleWithKey(t *testing.T) {
	t.Parallel()
	s := open(t, brokertest.Connect(t, brokertest.Start(t)))
	o := contract.JobOptions{Key: "a", Attempts: 3}
	when := contract.Timing{Cron: "0 6 * * *"}
	first, ref := schedule(t, s, when, o)
	if again, _ := schedule(t, s, when, o); again.ID != first.ID {
		t.Errorf("the same key made %s and %s", first.ID, again.ID)
	}
	if other, _ := schedule(t, s, when, contract.JobOptions{Key: "b"}); other.ID == first.ID {
		t.Errorf("another key made %s again", other.ID)
	}
	for _, c := range []struct {
		when contract.Timing
		o    contract.JobOptions
	}{
		{contract.Timing{Cron: "0 7 * * *"}, o},
		{contract.Timing{Cron: "0 6 * * *", TimeZone: "Europe/Berlin"}, o},
		{contract.Timing{At: time.Now().Add(time.Hour)}, o},
		{when, contract.JobOptions{Key: "a"}},
	} {
		if f := scheduleRefused(t, s, c.when, c.o); f.Code != contract.CodeInvalidArgument || f.Field != contract.HeaderKey {
			t.Errorf("%+v, %+v: %v", c.when, c.o, f)
		}
	}
	if err := s.DeleteSchedule(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	if again, _ := schedule(t, s, contract.Timing{Cron: "0 7 * * *"}, o); again.ID != first.ID {
		t.Errorf("after it was deleted, the key made %s and not %s", again.ID, first.ID)
	}
}

// TestKeyOfScheduleThatWasDue uses a key again when the schedule is a job, or about to be.
func TestKeyOfScheduleThatWasDue(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	s := open(t, nc)
	o := contract.JobOptions{Key: "a"}
	doc, ref := schedule(t, s, contract.Timing{At: time.Now().Add(time.Second)}, o)
	brokertest.Await(t, "it is due", func() bool { return errors.Is(errOf(s.GetSchedule(t.Context(), ref)), contract.CodeNotFound) })
	later := contract.Timing{At: time.Now().Add(time.Hour)}
	if f := scheduleRefused(t, s, later, o); f.Field != contract.HeaderKey || !strings.Contains(f.Detail, doc.ID) {
		t.Errorf("before it is a job: %v", f)
	}
	serve(t, nc)
	brokertest.Await(t, "it is a job", func() bool { return errOf(s.Get(t.Context(), ref)) == nil })
	if f := scheduleRefused(t, s, later, o); f.Field != contract.HeaderKey || !strings.Contains(f.Detail, doc.ID) {
		t.Errorf("when it is a job: %v", f)
	}
}

// TestSchedulesAreBounded fills a tenant's room.
func TestSchedulesAreBounded(t *testing.T) {
	t.Parallel()
	s, err := jobs.Open(brokertest.Connect(t, brokertest.Start(t)), jobs.Config{Schedules: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	when := contract.Timing{Cron: "@daily"}
	_, ref := schedule(t, s, when, contract.JobOptions{})
	schedule(t, s, when, contract.JobOptions{})
	if f := scheduleRefused(t, s, when, contract.JobOptions{}); f.Code != contract.CodeResourceExhausted {
		t.Errorf("a third one: %v", f)
	}
	if err := s.DeleteSchedule(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	schedule(t, s, when, contract.JobOptions{})
}

func TestListSchedules(t *testing.T) {
	t.Parallel()
	s := open(t, brokertest.Connect(t, brokertest.Start(t)))
	if list, err := s.ListSchedules(t.Context(), contract.ScheduleQuery{}); err != nil || len(list.Schedules) != 0 || list.Next != "" {
		t.Errorf("without any: %+v, %v", list, err)
	}
	var want []string
	for range 7 {
		doc, _ := schedule(t, s, contract.Timing{Cron: "@daily", TimeZone: "Europe/Berlin"}, contract.JobOptions{})
		want = append(want, doc.ID)
	}
	for _, q := range []contract.ScheduleQuery{{}, {Limit: 3}, {Limit: 7}, {Limit: 1, Service: echo.Service, Operation: echo.Operation}} {
		var got []string
		for {
			page, err := s.ListSchedules(t.Context(), q)
			if err != nil || q.Limit > 0 && len(page.Schedules) > q.Limit {
				t.Fatalf("%+v: %d schedules, %v", q, len(page.Schedules), err)
			}
			for _, doc := range page.Schedules {
				got = append(got, doc.ID)
				if doc.Request != nil || doc.TimeZone != "Europe/Berlin" || doc.Next.IsZero() {
					t.Errorf("listed %+v", doc)
				}
			}
			if page.Next == "" {
				break
			}
			q.Page = page.Next
		}
		if !slices.Equal(got, want) {
			t.Errorf("%+v: %v, want %v", q, got, want)
		}
	}
	if list, err := s.ListSchedules(t.Context(), contract.ScheduleQuery{Service: "other"}); err != nil || len(list.Schedules) != 0 {
		t.Errorf("of another service: %+v, %v", list, err)
	}
	for _, page := range []string{"x", "0", "-1", "1.5"} {
		if _, err := s.ListSchedules(t.Context(), contract.ScheduleQuery{Page: page}); !errors.Is(err, contract.CodeInvalidArgument) {
			t.Errorf("page %q: %v", page, err)
		}
	}
}

// TestLargeSchedules lists schedules whose requests do not fit into one reply, and makes one
// with the largest request that there may be.
func TestLargeSchedules(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	s := open(t, nc)
	body := []byte(`{"text":"` + strings.Repeat("a", contract.DefaultMaxRequest-11) + `"}`)
	for range 3 {
		if _, _, err := s.CreateSchedule(t.Context(), jobs.Submission{Endpoint: echo, Body: body}, contract.Timing{Cron: "@daily"}); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := s.CreateSchedule(t.Context(), jobs.Submission{Endpoint: echo, Body: append(body, ' ')}, contract.Timing{Cron: "@daily"})
	if !errors.Is(err, contract.CodeRequestTooLarge) {
		t.Errorf("a larger one: %v", err)
	}
	count := 0
	for q := (contract.ScheduleQuery{}); ; {
		page, err := s.ListSchedules(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		count += len(page.Schedules)
		if q.Page = page.Next; q.Page == "" {
			break
		}
	}
	if count != 3 {
		t.Errorf("listed %d, want 3", count)
	}
}

// TestDueByHand holds that what somebody puts among what is due does no harm.
func TestDueByHand(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	s := open(t, nc)
	serve(t, nc)
	brokertest.Await(t, "the consumer is there", func() bool { return dueConsumer(t, nc) != nil })
	ref := contract.JobRef{Tenant: contract.DefaultTenant, Service: echo.Service, Operation: echo.Operation, Token: "byhand"}
	if _, err := nc.Request(ref.DueSubject(), []byte(`{"text":"42"}`), patience); err != nil {
		t.Fatal(err)
	}
	brokertest.Await(t, "it is dropped", func() bool { return dueMessages(t, nc) == 0 })
	if ids := list(t, s, contract.JobQuery{}); ids != nil {
		t.Errorf("there are the jobs %v", ids)
	}
	// A message that a client may put there makes the job of its own id, once.
	for range 2 {
		m := &nats.Msg{Subject: ref.DueSubject(), Data: []byte(`{"text":""}`), Header: nats.Header{
			jetstream.SchedulerHeader: {ref.ScheduleSubject()}, jetstream.ScheduleNextHeader: {"purge"}, contract.HeaderAttempts: {"x"},
		}}
		if _, err := nc.RequestMsg(m, patience); err != nil {
			t.Fatal(err)
		}
		brokertest.Await(t, "it is taken", func() bool { return dueMessages(t, nc) == 0 })
	}
	hire(t, s, 1, say)
	if job := await(t, s, ref); job.Schedule != ref.ID() {
		t.Errorf("made %+v", job)
	}
	if ids := list(t, s, contract.JobQuery{}); len(ids) != 1 {
		t.Errorf("there are the jobs %v", ids)
	}
}

// TestSchedulesSurviveKill kills the broker. Jobs that were made are not made again, and what
// was due once is made up for.
func TestSchedulesSurviveKill(t *testing.T) {
	t.Parallel()
	dir, listen := t.TempDir(), freeAddress(t)
	run := func() *process { return start(t, "broker", "LISTEN="+listen, "DIR="+dir) }
	first := run()
	nc, err := nats.Connect("nats://"+listen, nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	s := open(t, nc)
	serve(t, nc)
	hire(t, s, 1, say)
	events := ended(t, nc)
	again, _ := schedule(t, s, contract.Timing{Cron: everySecond}, contract.JobOptions{})
	made := make(map[string]bool)
	for range 2 {
		made[next(t, events).ID] = true
	}
	due := time.Now().Add(time.Second)
	once, onceRef := schedule(t, s, contract.Timing{At: due}, contract.JobOptions{})
	first.kill()
	<-time.After(time.Until(due) + 2*time.Second) // of the clock that the schedules go by
	run()
	brokertest.Await(t, "the broker answers", func() bool { return nc.IsConnected() && errOf(s.Get(t.Context(), onceRef)) == nil })
	for {
		job := next(t, events)
		if made[job.ID] || job.Schedule != again.ID && job.Schedule != once.ID {
			t.Errorf("made %+v", job)
		}
		if made[job.ID] = true; made[once.ID] && len(made) >= 5 {
			break
		}
	}
}
