package jobs

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
)

const (
	// askFor is how long the broker keeps a request for work. It is short since one that
	// is lost, with the node that had it, is missed only when it would have ended.
	askFor = 5 * time.Second

	// askLost is how long after the last request for work none can be kept any more.
	askLost = askFor + time.Second
)

// queue is what the runner knows of the jobs of one tenant and class.
type queue struct {
	class   contract.JobClass
	tenant  string
	asked   int // jobs that the broker was asked for and that did not come yet
	askedAt time.Time
	opening int        // jobs that came and whose records are being read
	waiting []*Attempt // jobs that can begin
	more    bool       // the broker has more, or a job was given back for want of room
	due     time.Time  // until then a job is expected, and has its turn kept
}

// turnKept is how long a job that the broker is known to have has its turn kept, once it
// was asked for. Without that, those that come first would go first.
const turnKept = 20 * time.Millisecond

// isActive reports whether a job of the queue can begin, or is about to come.
func (q *queue) isActive() bool {
	return len(q.waiting) > 0 || q.opening > 0 || time.Now().Before(q.due)
}

// turns decides whose turn it is. Of the two classes, high has four turns of five while
// both have jobs; the tenants of a class take turns.
type turns struct {
	credit map[contract.JobClass]int
	last   map[contract.JobClass]int // the queue that was last
}

// weights are the shares of the classes.
var weights = map[contract.JobClass]int{contract.ClassHigh: 4, contract.ClassNormal: 1}

// take takes the next job out of its queue, nil if there is none or if it is about to come.
func (t *turns) take(queues []*queue) *Attempt {
	if t.credit == nil {
		t.credit, t.last = make(map[contract.JobClass]int), make(map[contract.JobClass]int)
	}
	class, total := contract.JobClass(""), 0
	for _, c := range contract.JobClasses() {
		if !anyActive(queues, c) {
			continue
		}
		total += weights[c]
		if class == "" || t.credit[c]+weights[c] > t.credit[class]+weights[class] {
			class = c
		}
	}
	if class == "" || !anyWaiting(queues, class) {
		return nil
	}
	for _, c := range contract.JobClasses() {
		if anyActive(queues, c) {
			t.credit[c] += weights[c]
		}
	}
	t.credit[class] -= total
	for i := range queues {
		at := (t.last[class] + 1 + i) % len(queues)
		if q := queues[at]; q.class == class && len(q.waiting) > 0 {
			t.last[class] = at
			a := q.waiting[0]
			q.waiting[0] = nil
			q.waiting = q.waiting[1:]
			return a
		}
	}
	return nil
}

func anyWaiting(queues []*queue, class contract.JobClass) bool {
	return slices.ContainsFunc(queues, func(q *queue) bool { return q.class == class && len(q.waiting) > 0 })
}

func anyActive(queues []*queue, class contract.JobClass) bool {
	return slices.ContainsFunc(queues, func(q *queue) bool { return q.class == class && q.isActive() })
}

// ask asks the broker for as many jobs as there is room for, and for some in advance if
// they are short.
func (r *Runner) ask() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopping || !r.ready {
		return
	}
	window := r.cfg.Free()
	if r.mean > 0 && r.mean < quick {
		window += int(min(maxAdvance, quick/r.mean))
	}
	window = min(window, maxHeld-len(r.held))
	for i, q := range r.queues {
		if q.asked > 0 && time.Since(q.askedAt) > askLost {
			q.asked = 0
		}
		want := window - q.asked - q.opening - len(q.waiting)
		if want <= 0 || 2*want < window {
			continue // half a window at once is cheaper than many requests
		}
		q.asked += want
		q.askedAt = time.Now()
		if q.more {
			q.more, q.due = false, q.askedAt.Add(turnKept)
			time.AfterFunc(turnKept, r.Wake)
		}
		body := `{"batch":` + strconv.Itoa(want) + `,"expires":` + strconv.FormatInt(int64(askFor), 10) + `}`
		subject := "$JS.API.CONSUMER.MSG.NEXT." + contract.WorkStream(r.cfg.Service) + "." + contract.WorkConsumer(q.class, q.tenant)
		_ = r.store.nc.PublishRequest(subject, r.inbox+"."+strconv.Itoa(i), []byte(body)) // fails only on a closed connection
	}
}

// receive hears the answer to a request for work: a job, or a status.
func (r *Runner) receive(ctx context.Context, m *nats.Msg) {
	if m.Reply == "" {
		r.hearStatus(m)
		return
	}
	a, err := r.open(m)
	if err != nil {
		// No release of ours writes such a message.
		r.cfg.Log.ErrorContext(ctx, "message of the work stream is no job", "subject", m.Subject, "error", err)
		r.publish(m.Reply, "+TERM")
		return
	}
	r.mu.Lock()
	a.queue.asked = max(0, a.queue.asked-1)
	a.queue.more, a.queue.due = a.more, time.Time{}
	if r.stopping {
		r.mu.Unlock()
		r.publish(m.Reply, nak)
		return
	}
	r.held[a] = struct{}{}
	if a.isFresh() {
		a.queue.waiting = append(a.queue.waiting, a)
	} else {
		a.queue.opening++
		r.others.Go(func() { a.load(ctx) })
	}
	r.mu.Unlock()
	r.Wake()
}

// hearStatus counts the jobs that were asked for and do not come.
func (r *Runner) hearStatus(m *nats.Msg) {
	i, err := strconv.Atoi(m.Subject[strings.LastIndexByte(m.Subject, '.')+1:])
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil || i < 0 || i >= len(r.queues) {
		return
	}
	q := r.queues[i]
	switch status := m.Header.Get("Status"); status {
	case "404", "408":
		left, err := strconv.Atoi(m.Header.Get("Nats-Pending-Messages"))
		if err != nil {
			left = q.asked
		}
		q.asked = max(0, q.asked-left)
		r.Wake()
	default: // 409: the consumer was deleted or its node stops; 503: there is no stream
		q.asked = 0
		r.ready, r.lookAt = false, time.Time{}
	}
}

// open makes an attempt of a message of the work stream.
func (r *Runner) open(m *nats.Msg) (*Attempt, error) {
	meta, err := m.Metadata()
	if err != nil {
		return nil, err
	}
	ref, class, ok := contract.ParseWorkSubject(m.Subject)
	if !ok {
		return nil, errors.New("the subject is of another kind")
	}
	a := &Attempt{
		runner: r, ref: ref, message: m, record: new(record),
		sequence: meta.Sequence.Stream, delivery: meta.NumDelivered, more: meta.NumPending > 0 || meta.NumDelivered > 1,
		queued: meta.Timestamp.UTC().Truncate(time.Microsecond), arrived: time.Now(),
	}
	for _, q := range r.queues {
		if q.class == class && q.tenant == ref.Tenant {
			a.queue = q
		}
	}
	if a.queue == nil {
		return nil, errors.New("the job is of a class or tenant that was not asked for")
	}
	if a.options, err = contract.ParseJobOptions(m.Header.Get); err != nil {
		// Said when the attempt begins; until then the defaults do.
		a.options, a.fault = contract.JobOptions{}, err
	}
	a.options.Class = class
	a.options = a.options.WithDefaults()
	return a, nil
}

// isFresh reports whether the job has no record, as far as that can be known without
// reading it, which would halve the throughput.
func (a *Attempt) isFresh() bool {
	return a.delivery == 1 && a.arrived.Sub(a.queued) < fresh && a.message.Header[contract.HeaderRevision] == nil
}

// load reads the record of a job and decides whether it can begin.
func (a *Attempt) load(ctx context.Context) {
	v := a.recall(ctx)
	r := a.runner
	r.mu.Lock()
	a.queue.opening--
	if v == ours {
		a.queue.waiting = append(a.queue.waiting, a)
	}
	r.mu.Unlock()
	switch v {
	case ours:
		r.Wake()
	case over:
		r.finished(a, ack)
	case waiting:
		r.finished(a, nakAfter(time.Until(a.record.NotBefore)))
	default: // another instance has it; an acknowledgement would take it away there
		r.finished(a, "")
	}
}

// recall reads the record until it could be read, and returns whose the job is by it.
func (a *Attempt) recall(ctx context.Context) verdict {
	for pause := writePause; ; pause = min(2*pause, maxWritePause) {
		now, err := a.runner.store.readRecord(ctx, a.ref)
		if err == nil {
			return a.continueFrom(ctx, now)
		}
		select {
		case <-a.runner.closed:
			return theirs
		case <-time.After(pause):
		}
	}
}

// continueFrom makes the attempt the next one after what the record says.
func (a *Attempt) continueFrom(ctx context.Context, now *record) verdict {
	v := a.compare(now)
	if v == ours && now.State == contract.JobRunning && now.Work == a.sequence && now.Delivery == a.delivery {
		v = theirs // this very delivery: it is in other hands in this process
	}
	if v != ours {
		return v
	}
	a.record = now
	if now.State == contract.JobQueued && time.Until(now.NotBefore) > 0 {
		return waiting
	}
	if now.State == contract.JobRunning && now.Attempt >= a.options.Attempts {
		a.exhausted(ctx)
		return theirs // it has been let go of
	}
	return ours
}
