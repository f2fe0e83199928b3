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

// ask asks the broker for as many jobs as there is room for, and for some in advance if
// they are short.
func (r *Runner) ask(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopping || !r.ready {
		return
	}
	window := r.cfg.Free()
	if window < 0 {
		return
	}
	if r.mean > 0 && r.mean < quick {
		window += int(min(maxAdvance, quick/r.mean))
	}
	window = min(window, maxHeld-len(r.held))
	now := time.Now()
	for _, class := range classes {
		r.askOf(ctx, class, window, now)
	}
}

// askOf asks for the jobs of one class. Tenants that are known to have some share the
// window. All others may bring as many as fit, since few of them will at once. The lock is
// held.
func (r *Runner) askOf(ctx context.Context, class contract.JobClass, window int, now time.Time) {
	busy, left := 0, window
	for _, q := range r.turns.queues {
		if q.asked > 0 && now.Sub(q.askedAt) > askLost {
			q.asked = 0
		}
		if q.class == class && q.isBusy(now) {
			busy++
			left -= q.taken()
		}
	}
	share := max(1, window/max(1, busy))
	for _, q := range r.turns.queues {
		if q.class != class || !r.isOpen(ctx, q, now) {
			continue
		}
		room := window
		if q.isBusy(now) {
			room = min(share, q.taken()+left)
		}
		want := room - q.taken()
		if want <= 0 || 2*want < room {
			continue // half of the room at once is cheaper than many requests
		}
		if q.isBusy(now) {
			left -= want
		}
		r.pull(q, want, now)
	}
}

// pull asks for jobs of the queue. The lock is held.
func (r *Runner) pull(q *queue, want int, now time.Time) {
	q.asked += want
	q.askedAt = now
	if q.more {
		q.more, q.due = false, now.Add(turnKept)
		time.AfterFunc(turnKept, r.Wake)
	}
	body := `{"batch":` + strconv.Itoa(want) + `,"expires":` + strconv.FormatInt(int64(askFor), 10) + `}`
	subject := "$JS.API.CONSUMER.MSG.NEXT." + contract.WorkStream(r.cfg.Service) + "." + contract.WorkConsumer(q.class, q.tenant)
	_ = r.store.nc.PublishRequest(subject, r.inbox+"."+strconv.Itoa(q.id), []byte(body)) // fails only on a closed connection
}

// receive hears the answer to a request for work: a job, or a status.
func (r *Runner) receive(ctx context.Context, m *nats.Msg) {
	if m.Reply == "" {
		r.hearStatus(m)
		return
	}
	a, err := r.open(m)
	if err != nil {
		r.spawn(func() { r.refuse(ctx, m, err) })
		return
	}
	r.mu.Lock()
	a.queue = r.learn(a.options.Class, a.ref.Tenant)
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
	id := m.Subject[strings.LastIndexByte(m.Subject, '.')+1:]
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.turns.queues, func(q *queue) bool { return strconv.Itoa(q.id) == id })
	if i < 0 {
		return
	}
	q := r.turns.queues[i]
	switch status := m.Header.Get("Status"); status {
	case "404", "408":
		left, err := strconv.Atoi(m.Header.Get("Nats-Pending-Messages"))
		if err != nil {
			left = q.asked
		}
		q.asked = max(0, q.asked-left)
		r.Wake()
	default: // 409: the consumer was deleted or its node stops; 503: it is not there
		q.asked = 0
		r.missing(q)
	}
}

// open makes an attempt of a message of the work stream.
func (r *Runner) open(m *nats.Msg) (*Attempt, error) {
	meta, err := m.Metadata()
	if err != nil {
		return nil, err
	}
	ref, class, ok := contract.ParseWorkSubject(m.Subject)
	if !ok || !slices.Contains(classes[:], class) {
		return nil, errors.New("the subject is of another kind")
	}
	a := &Attempt{
		runner: r, ref: ref, message: m, record: new(record),
		sequence: meta.Sequence.Stream, delivery: meta.NumDelivered, more: meta.NumPending > 0 || meta.NumDelivered > 1,
		queued: meta.Timestamp.UTC().Truncate(time.Microsecond), arrived: time.Now(),
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
	return a.delivery == 1 && a.arrived.Sub(a.queued) < fresh && a.message.Header[contract.HeaderRevision] == nil && a.options.Gathered == ""
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
		a.settle(ctx)
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
	if v == over || v == ours {
		a.record = now
	}
	if v != ours {
		return v
	}
	if now.State == contract.JobQueued && time.Until(now.NotBefore) > 0 {
		return waiting
	}
	if now.State == contract.JobRunning && now.Attempt >= a.options.Attempts {
		a.exhausted(ctx)
		return theirs // it has been let go of
	}
	if a.options.Gathered != "" && a.fault == nil {
		a.gathered, a.fault = a.runner.store.gather(ctx, a.ref.Tenant, a.options.Gathered)
	}
	return ours
}
