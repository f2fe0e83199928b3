package follow_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/internal/follow"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ref = contract.JobRef{Tenant: contract.DefaultTenant, Service: "echo", Operation: "say", Token: "a"}

func event(state contract.JobState, revision uint64) follow.Event {
	return follow.Event{Job: contract.Job{ID: ref.ID(), State: state}, Revision: revision}
}

// TestOldEventIsNoEnd hears, after a job was read that was retried, how it failed before:
// that is not its end.
func TestOldEventIsNoEnd(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	look := func(context.Context) (follow.Event, error) {
		old := &nats.Msg{Subject: ref.EventSubject(), Data: []byte(`{"id":"echo-say-a","state":"failed"}`), Header: nats.Header{"Nats-Sequence": {"5"}}}
		return event(contract.JobQueued, 7), errors.Join(nc.PublishMsg(old), nc.Flush())
	}
	var last error
	for e, err := range follow.Job(ctx, nc, ref, look) {
		if last = err; err == nil && e.Job.State != contract.JobQueued {
			t.Errorf("heard %+v", e)
		}
	}
	if !errors.Is(last, contract.CodeDeadlineExceeded) {
		t.Errorf("ended with %v, want %s", last, contract.CodeDeadlineExceeded)
	}
}

// TestUnavailableIsWaitedOut reads a job after the connection was lost while nobody can
// answer yet.
func TestUnavailableIsWaitedOut(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	looks := 0
	look := func(context.Context) (follow.Event, error) {
		switch looks++; looks {
		case 1:
			return event(contract.JobRunning, 1), nil
		case 2:
			return follow.Event{}, contract.Errorf(contract.CodeUnavailable, "nobody is there yet")
		default:
			return event(contract.JobSucceeded, 2), nil
		}
	}
	var last follow.Event
	for e, err := range follow.Job(ctx, nc, ref, look) {
		if err != nil {
			t.Fatal(err)
		}
		if last = e; e.Revision == 1 {
			if err := nc.ForceReconnect(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if last.Job.State != contract.JobSucceeded || looks != 3 {
		t.Errorf("after %d looks the job is %s", looks, last.Job.State)
	}
}
