package jobs_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/jobs"
)

// gang is an instance whose work lasts until the test says so.
type gang struct {
	*crew
	began chan *jobs.Attempt
	end   chan struct{} // each receive ends one work
}

// hireGang starts an instance on a connection of its own.
func hireGang(t *testing.T, nc *nats.Conn, slots int) *gang {
	t.Helper()
	g := &gang{began: make(chan *jobs.Attempt, 100), end: make(chan struct{})}
	g.crew = hire(t, open(t, nc), slots, func(ctx context.Context, a *jobs.Attempt) ([]byte, error) {
		g.began <- a
		select {
		case <-g.end:
			return a.Message().Data, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	})
	return g
}

// begins waits until the instance begins to work.
func (g *gang) begins() {
	g.t.Helper()
	select {
	case <-g.began:
	case <-time.After(patience):
		g.t.Fatal("waited in vain for the work to begin")
	}
}

// finish lets one work end.
func (g *gang) finish() {
	g.t.Helper()
	select {
	case g.end <- struct{}{}:
	case <-time.After(patience):
		g.t.Fatal("no work is waiting for its end")
	}
}

// awaitAttempt waits until the record says that the attempt is running.
func awaitAttempt(t *testing.T, s *jobs.Store, ref contract.JobRef, attempt int) {
	t.Helper()
	brokertest.Await(t, "the attempt is recorded", func() bool {
		job, err := s.Get(t.Context(), ref)
		return err == nil && job.State == contract.JobRunning && job.Attempt == attempt
	})
}

// freezeAtWork starts an instance with so many slots and freezes it in the middle of its
// first attempt at a job.
func freezeAtWork(t *testing.T, b *brokertest.Listening, slots int) (*jobs.Store, *gang, *wire, contract.JobRef) {
	t.Helper()
	s := open(t, b.Connect())
	frozen, ice := wired(t, b)
	first := hireGang(t, frozen, slots)
	ref := submit(t, s, `{"text":"42"}`, contract.JobOptions{})
	first.begins()
	awaitAttempt(t, s, ref, 1)
	ice.freeze()
	return s, first, ice, ref
}

// TestFailedWriteIsNoVerdict stops the broker before the record of a running job, and
// before its result, can be stored. Neither means that the job is somebody else's.
func TestFailedWriteIsNoVerdict(t *testing.T) {
	t.Parallel()
	b := brokertest.Listen(t)
	s := open(t, b.Connect())
	g := hireGang(t, b.Connect(), 1)
	ref := submit(t, s, `{"text":"42"}`, contract.JobOptions{})
	g.begins()
	b.Stop() // most likely before the record says that the job runs
	g.finish()
	b.Start()
	brokertest.Await(t, "the broker is back", func() bool {
		_, err := s.Get(t.Context(), ref)
		return err == nil
	})
	job := await(t, s, ref)
	if job.State != contract.JobSucceeded || len(g.began) > 0 && job.Attempt != 2 {
		t.Errorf("got %+v", job)
	}
}

// TestStaleHolderDoesNotAcknowledge lets an instance that was frozen finish a job that
// another one has taken over. If it acknowledged the job, the death of the other one
// would lose it.
func TestStaleHolderDoesNotAcknowledge(t *testing.T) {
	t.Parallel()
	b := brokertest.Listen(t)
	s, first, ice, ref := freezeAtWork(t, b, 1)
	killed, cut := wired(t, b)
	second := hireGang(t, killed, 1)
	second.begins()
	awaitAttempt(t, s, ref, 2)
	first.finish()
	ice.thaw()
	brokertest.Await(t, "the first one is done with it", func() bool { return first.free.Load() == 1 })
	first.dismiss()
	cut.freeze()
	defer cut.thaw()
	third := hireGang(t, b.Connect(), 1)
	third.begins()
	third.finish()
	if job := await(t, s, ref); job.State != contract.JobSucceeded || job.Attempt != 3 {
		t.Errorf("got %+v", job)
	}
}

// TestFrozenInstanceIsPassedOver has a frozen instance with requests for work at the
// broker, which gives it the job again. Others get it all the same.
func TestFrozenInstanceIsPassedOver(t *testing.T) {
	t.Parallel()
	b := brokertest.Listen(t)
	s := open(t, b.Connect())
	frozen, ice := wired(t, b)
	first := hireGang(t, frozen, 3)
	ref := submit(t, s, `{"text":"42"}`, contract.JobOptions{})
	first.begins()
	ice.freeze()
	second := hireGang(t, b.Connect(), 1)
	second.begins()
	second.finish()
	defer ice.thaw()
	if job := await(t, s, ref); job.State != contract.JobSucceeded {
		t.Errorf("got %+v", job)
	}
}

// TestWakingInstanceDropsRedelivery thaws an instance in whose socket the job waits once
// more, while another instance works on it. The record says so, and it is left alone.
func TestWakingInstanceDropsRedelivery(t *testing.T) {
	t.Parallel()
	b := brokertest.Listen(t)
	s, first, ice, ref := freezeAtWork(t, b, 3)
	second := hireGang(t, b.Connect(), 1)
	second.begins()
	awaitAttempt(t, s, ref, 2)
	ice.thaw()
	brokertest.Await(t, "the first one has let go of it", func() bool { return first.free.Load() == 3 })
	second.finish()
	if job := await(t, s, ref); job.State != contract.JobSucceeded || job.Attempt != 2 || len(first.began) > 0 {
		t.Errorf("got %+v, and the first one began %d more times", job, len(first.began))
	}
}
