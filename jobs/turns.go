package jobs

import (
	"slices"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
)

// queue is what the runner knows of the jobs of one tenant and class.
type queue struct {
	class   contract.JobClass
	tenant  string
	id      int // tells the answers of the broker apart
	asked   int // jobs that the broker was asked for and that did not come yet
	askedAt time.Time
	opening int        // jobs that came and whose records are being read
	waiting []*Attempt // jobs that can begin
	more    bool       // the broker has more, or a job was given back for want of room
	due     time.Time  // until then a job is expected, and has its turn kept

	// Of queues that come and go; see tenant.go.
	until  time.Time // when jobs are asked for no longer; zero for never
	made   bool      // the consumer is there, as far as is known
	making bool      // it is being made
	retry  time.Time // when that may be tried again
}

// turnKept is how long a job that the broker is known to have has its turn kept, once it
// was asked for. Without that, those that come first would go first.
const turnKept = 20 * time.Millisecond

// isActive reports whether a job of the queue can begin, or is about to come.
func (q *queue) isActive(now time.Time) bool {
	return len(q.waiting) > 0 || q.opening > 0 || now.Before(q.due)
}

// isBusy reports whether the queue is known to have jobs, here or at the broker.
func (q *queue) isBusy(now time.Time) bool { return q.more || q.isActive(now) }

// taken returns the number of jobs that are here or asked for.
func (q *queue) taken() int { return q.asked + q.opening + len(q.waiting) }

// classes are the classes of jobs, and weights their shares.
var (
	classes = [...]contract.JobClass{contract.ClassHigh, contract.ClassNormal}
	weights = [...]int{4, 1}
)

// turns decides whose turn it is. Of the two classes, high has four turns of five while
// both have jobs; the tenants of a class take turns, the one whose last turn is the
// longest ago first.
type turns struct {
	queues []*queue // in the order in which they have their turns
	credit [len(classes)]int
}

// take takes the next job out of its queue, nil if there is none or if it is about to come.
func (t *turns) take() *Attempt {
	now := time.Now()
	var active [len(classes)]bool
	next, best, total := [len(classes)]int{-1, -1}, -1, 0
	for at, q := range t.queues {
		i := rank(q.class)
		active[i] = active[i] || q.isActive(now)
		if next[i] < 0 && len(q.waiting) > 0 {
			next[i] = at
		}
	}
	for i := range classes {
		if !active[i] {
			continue
		}
		total += weights[i]
		if best < 0 || t.credit[i]+weights[i] > t.credit[best]+weights[best] {
			best = i
		}
	}
	if best < 0 || next[best] < 0 {
		return nil
	}
	for i := range classes {
		if active[i] {
			t.credit[i] += weights[i]
		}
	}
	t.credit[best] -= total
	return t.serve(next[best])
}

// rank returns the place of the class among all.
func rank(class contract.JobClass) int {
	if class == classes[0] {
		return 0
	}
	return 1
}

// serve takes the first job of the queue at the place, whose next turn is after those of
// all others.
func (t *turns) serve(at int) *Attempt {
	q := t.queues[at]
	copy(t.queues[at:], t.queues[at+1:])
	t.queues[len(t.queues)-1] = q
	a := q.waiting[0]
	q.waiting[0] = nil
	q.waiting = q.waiting[1:]
	return a
}

// giveBack makes the job that was taken last the first one of its queue again, and the turn
// the queue's.
func (t *turns) giveBack(a *Attempt, credit [len(classes)]int) {
	a.queue.waiting = append([]*Attempt{a}, a.queue.waiting...)
	t.credit = credit
	if at := slices.Index(t.queues, a.queue); at >= 0 {
		copy(t.queues[1:at+1], t.queues[:at])
		t.queues[0] = a.queue
	}
}

// find returns the queue of the tenant and class, nil if there is none.
func (t *turns) find(class contract.JobClass, tenant string) *queue {
	for _, q := range t.queues {
		if q.class == class && q.tenant == tenant {
			return q
		}
	}
	return nil
}
