package jobs

import (
	"testing"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
)

// waitingQueues returns the turns of queues with so many jobs waiting in each.
func waitingQueues(n int, names ...[2]string) *turns {
	t := new(turns)
	for _, name := range names {
		q := &queue{class: contract.JobClass(name[0]), tenant: name[1]}
		for range n {
			q.waiting = append(q.waiting, &Attempt{queue: q})
		}
		t.queues = append(t.queues, q)
	}
	return t
}

// TestTurnsOfClasses shows that high jobs have four turns of five, and normal ones all
// when there are no others.
func TestTurnsOfClasses(t *testing.T) {
	t.Parallel()
	turns := waitingQueues(20, [2]string{"high", "a"}, [2]string{"normal", "a"})
	for round := range 5 {
		high := 0
		for range 5 {
			if a := turns.take(); a.queue.class == contract.ClassHigh {
				high++
			}
		}
		if high != 4 {
			t.Errorf("round %d: %d of 5 turns were for high jobs", round, high)
		}
	}
	for range 15 {
		if a := turns.take(); a == nil || a.queue.class != contract.ClassNormal {
			t.Fatalf("without high jobs: %+v", a)
		}
	}
	if a := turns.take(); a != nil {
		t.Errorf("of empty queues: %+v", a)
	}
}

// TestTurnsOfTenants shows that the tenants of a class take turns, however many jobs each
// has.
func TestTurnsOfTenants(t *testing.T) {
	t.Parallel()
	turns := waitingQueues(6, [2]string{"normal", "a"}, [2]string{"normal", "b"}, [2]string{"normal", "c"})
	turns.queues[1].waiting = turns.queues[1].waiting[:2]
	got := ""
	for range 14 {
		got += turns.take().queue.tenant
	}
	if want := "abcabcacacacac"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestTurnIsKept shows that the turn of a class whose next job is on its way is not given
// to the other one.
func TestTurnIsKept(t *testing.T) {
	t.Parallel()
	turns := waitingQueues(1, [2]string{"high", "a"}, [2]string{"normal", "a"})
	high := turns.queues[0]
	high.waiting, high.due = nil, time.Now().Add(time.Hour)
	if a := turns.take(); a != nil {
		t.Errorf("got one of class %s", a.queue.class)
	}
	high.due = time.Time{}
	if a := turns.take(); a == nil {
		t.Error("nothing came, and the other class did not get the turn")
	}
}
