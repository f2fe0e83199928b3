package jobs

import (
	"testing"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
)

// waitingQueues returns queues with so many jobs waiting in each.
func waitingQueues(n int, names ...[2]string) []*queue {
	var queues []*queue
	for _, name := range names {
		q := &queue{class: contract.JobClass(name[0]), tenant: name[1]}
		for range n {
			q.waiting = append(q.waiting, &Attempt{queue: q})
		}
		queues = append(queues, q)
	}
	return queues
}

// TestTurnsOfClasses shows that high jobs have four turns of five, and normal ones all
// when there are no others.
func TestTurnsOfClasses(t *testing.T) {
	t.Parallel()
	queues := waitingQueues(20, [2]string{"high", "a"}, [2]string{"normal", "a"})
	var turns turns
	for round := range 5 {
		high := 0
		for range 5 {
			if a := turns.take(queues); a.queue.class == contract.ClassHigh {
				high++
			}
		}
		if high != 4 {
			t.Errorf("round %d: %d of 5 turns were for high jobs", round, high)
		}
	}
	for range 15 {
		if a := turns.take(queues); a == nil || a.queue.class != contract.ClassNormal {
			t.Fatalf("without high jobs: %+v", a)
		}
	}
	if a := turns.take(queues); a != nil {
		t.Errorf("of empty queues: %+v", a)
	}
}

// TestTurnsOfTenants shows that the tenants of a class take turns, however many jobs each
// has.
func TestTurnsOfTenants(t *testing.T) {
	t.Parallel()
	queues := waitingQueues(6, [2]string{"normal", "a"}, [2]string{"normal", "b"}, [2]string{"normal", "c"})
	queues[1].waiting = queues[1].waiting[:2]
	var turns turns
	got := ""
	for range 14 {
		got += turns.take(queues).queue.tenant
	}
	if want := "bcabcacacacaca"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestTurnIsKept shows that the turn of a class whose next job is on its way is not given
// to the other one.
func TestTurnIsKept(t *testing.T) {
	t.Parallel()
	queues := waitingQueues(1, [2]string{"high", "a"}, [2]string{"normal", "a"})
	queues[0].waiting, queues[0].due = nil, time.Now().Add(time.Hour)
	var turns turns
	if a := turns.take(queues); a != nil {
		t.Errorf("got one of class %s", a.queue.class)
	}
	queues[0].due = time.Time{}
	if a := turns.take(queues); a == nil {
		t.Error("nothing came, and the other class did not get the turn")
	}
}
