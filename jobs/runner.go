package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
)

const (
	// tick is the time between two signs of life.
	tick = lease / 3

	// checkEvery is the number of ticks after which the record of a running job is read,
	// in case the word that it was canceled was lost.
	checkEvery = 6

	// quick is how much work an instance takes in advance: short jobs wait there for the
	// one before them instead of for the broker.
	quick = 5 * time.Millisecond

	// maxAdvance is the largest number of jobs taken in advance.
	maxAdvance = 256

	// maxHeld is the largest number of jobs in the hands of a runner, together with those
	// whose outcome is being stored.
	maxHeld = 4096

	// lookEvery is how often the streams are looked for where there are none.
	lookEvery = 5 * time.Second

	// patience is how long short jobs wait here while there is no room in sight.
	patience = time.Second

	// fresh is how old a message may be whose job is taken to have no record. Submitters
	// look for the record before, so only one that ended meanwhile would run twice.
	fresh = time.Second
)

// RunnerConfig says whose jobs a runner takes, and for whom.
type RunnerConfig struct {
	// Service is the service whose jobs are taken.
	Service string
	// Instance is the name of the instance in the records.
	Instance string
	// Free returns the number of jobs for which there is room now, or will be in a moment,
	// and below 0 if none is wanted in advance either. It must not block.
	Free func() int
	// Run begins an attempt, or reports that there is no room for it now. It is called
	// by one goroutine, and a short job may be done in it.
	Run func(ctx context.Context, a *Attempt) bool
	// Log gets what has no caller to hear it. Nil discards it.
	Log *slog.Logger
}

// Runner takes the jobs of one service for one instance. It is safe for concurrent use.
type Runner struct {
	store  *Store
	cfg    RunnerConfig
	inline int64 // the largest result in a record
	part   int   // the size of parts of larger ones

	inbox    string
	pulls    *nats.Subscription
	canceled *nats.Subscription
	queued   *nats.Subscription

	wake   chan struct{} // room for one
	ending func()        // ends the exchanges with the broker that are for taking jobs
	closed chan struct{} // when nothing more is waited for
	loop   sync.WaitGroup
	others sync.WaitGroup // added to under mu

	mu       sync.Mutex
	stopping bool
	sealed   bool      // no more goroutines
	ready    bool      // the streams are there
	lookAt   time.Time // when to look for them if they are not
	turns    turns
	before   [len(classes)]int // credit before the turn that was taken last
	tenants  tenants
	held     map[*Attempt]struct{}
	mean     time.Duration // of the work of recent jobs, 0 while there was none
}

// Start takes jobs until [Runner.Stop]. The context is the one that jobs work under.
// Where the broker has no JetStream, the runner keeps looking for it.
func (s *Store) Start(ctx context.Context, cfg RunnerConfig) (*Runner, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	room := s.nc.MaxPayload() - contract.HeaderRoom
	r := &Runner{
		store: s, cfg: cfg,
		inline: min(maxInline, room/4), part: int(min(partSize, room)),
		inbox:  s.nc.NewInbox(),
		wake:   make(chan struct{}, 1),
		closed: make(chan struct{}),
		held:   make(map[*Attempt]struct{}),
	}
	for _, class := range classes {
		r.turns.queues = append(r.turns.queues, &queue{class: class, tenant: contract.DefaultTenant, id: r.tenants.nextID()})
	}
	var err error
	if r.pulls, err = s.nc.Subscribe(r.inbox+".*", func(m *nats.Msg) { r.receive(ctx, m) }); err != nil {
		return nil, fmt.Errorf("take jobs of %s: %w", cfg.Service, err)
	}
	canceled := contract.JobRef{Tenant: "*", Service: cfg.Service, Operation: "*", Token: "*"}.CancelSubject()
	if r.canceled, err = s.nc.Subscribe(canceled, r.hearCancel); err != nil {
		_ = r.pulls.Unsubscribe() // the connection is closed
		return nil, fmt.Errorf("take jobs of %s: %w", cfg.Service, err)
	}
	if r.queued, err = s.nc.Subscribe(contract.QueuedSubject("*", cfg.Service, "*"), r.hearQueued); err != nil {
		_, _ = r.pulls.Unsubscribe(), r.canceled.Unsubscribe() // the connection is closed
		return nil, fmt.Errorf("take jobs of %s: %w", cfg.Service, err)
	}
	taking, cancel := context.WithCancel(ctx)
	r.ending = cancel
	r.loop.Go(func() { r.run(ctx, taking) })
	return r, nil
}

// Ready reports whether the streams are there that jobs are taken from, as far as the
// runner knows. It is cheap.
func (r *Runner) Ready() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ready
}

// Wake tells the runner that there may be more room. It is cheap and does not block.
func (r *Runner) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Stop takes no more jobs, and has those that wait here given to other instances. Attempts
// that have begun go on.
func (r *Runner) Stop() {
	r.mu.Lock()
	r.stopping = true
	r.mu.Unlock()
	_ = r.pulls.Unsubscribe() // fails only if the connection has closed it before
	r.ending()
	r.Wake()
}

// Close waits until all attempts have ended, which their contexts can bring about, and
// until what is known of them is stored; or until ctx ends, and then it does not wait for
// the broker any longer. [Runner.Stop] comes first.
func (r *Runner) Close(ctx context.Context) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.loop.Wait()
		r.others.Wait()
	}()
	select {
	case <-ended:
		close(r.closed)
	case <-ctx.Done():
		close(r.closed)
		<-ended
	}
	_, _ = r.canceled.Unsubscribe(), r.queued.Unsubscribe() // they fail only if the connection has closed them before
}

// spawn runs f in a goroutine that Close waits for, unless it is too late for that.
func (r *Runner) spawn(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.sealed {
		r.others.Go(f)
	}
}

// run begins attempts when there are jobs and room, asks for jobs and gives signs of life,
// until the runner stops and holds none any more. The context taking ends when it stops.
func (r *Runner) run(ctx, taking context.Context) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	r.prepare(taking)
	for ticks := 0; ; {
		r.begin(ctx)
		if r.isDone() {
			return
		}
		r.ask(taking)
		select {
		case <-r.wake:
		case <-r.closed:
			return
		case <-ticker.C:
			ticks++
			r.live(ctx, ticks%checkEvery == 0)
			if r.mustLook() {
				r.prepare(taking)
			}
			r.tend(taking)
		}
	}
}

// isDone reports whether the runner stops and holds no jobs, and lets no goroutine begin
// after that.
func (r *Runner) isDone() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sealed = r.stopping && len(r.held) == 0
	return r.sealed
}

// prepare makes the streams, if there is JetStream and they are not there.
func (r *Runner) prepare(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	err := r.store.Prepare(ctx, r.cfg.Service)
	if err != nil {
		r.cfg.Log.DebugContext(ctx, "no jobs: the streams are not there", "service", r.cfg.Service, "error", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ready, r.lookAt = err == nil, time.Now().Add(lookEvery)
}

// mustLook reports whether it is time to look for the streams.
func (r *Runner) mustLook() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.ready && time.Now().After(r.lookAt)
}

// begin begins the attempts for which there is room. Of a runner that stops it gives the
// jobs back that wait.
func (r *Runner) begin(ctx context.Context) {
	for {
		a, stopping := r.next()
		switch {
		case a == nil:
			return
		case stopping:
			a.HandBack(ctx)
		case a.ending.Load() != nil: // canceled, it is said; the record knows
			r.reopen(ctx, a)
		case a.fault != nil:
			a.Fail(ctx, a.fault)
		case a.isLate():
			a.Fail(ctx, late(a.options.QueueLimit))
		case !r.cfg.Run(ctx, a):
			r.postpone(ctx, a)
			return
		}
	}
}

// reopen reads the record of a job again before it begins.
func (r *Runner) reopen(ctx context.Context, a *Attempt) {
	a.ending.Store(nil)
	r.mu.Lock()
	defer r.mu.Unlock()
	a.queue.opening++
	r.others.Go(func() { a.load(ctx) })
}

// next takes the job whose turn it is from those that wait here.
func (r *Runner) next() (a *Attempt, stopping bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.before = r.turns.credit
	return r.turns.take(), r.stopping
}

// postpone keeps a job for which there is no room until there is some, if that will be
// soon. Otherwise another instance may have it, and those of the others that wait here.
func (r *Runner) postpone(ctx context.Context, a *Attempt) {
	r.mu.Lock()
	r.turns.giveBack(a, r.before)
	free := r.cfg.Free()
	var back []*Attempt
	for _, q := range r.turns.queues {
		if keep := r.keeps(q, free); keep < len(q.waiting) {
			back = append(back, q.waiting[keep:]...)
			q.waiting, q.more = q.waiting[:keep:keep], true
		}
	}
	r.mu.Unlock()
	for _, a := range back {
		a.HandBack(ctx)
	}
}

// keeps returns how many jobs of the queue wait here for room. The lock is held.
func (r *Runner) keeps(q *queue, free int) int {
	switch isQuick := r.mean > 0 && r.mean <= quick; {
	case !isQuick:
		return max(0, min(1, free))
	case free < 0 && len(q.waiting) > 0 && time.Since(q.waiting[0].arrived) > patience:
		return 0
	default:
		return len(q.waiting)
	}
}

// isLate reports whether the job has waited too long for its first attempt.
func (a *Attempt) isLate() bool {
	limit := a.options.QueueLimit
	return limit > 0 && a.record.Attempt == 0 && time.Since(a.queued) > limit
}

// live tells the broker that the jobs here are in good hands, stores what progress there
// is, and sometimes looks whether they still are this instance's.
func (r *Runner) live(ctx context.Context, check bool) {
	r.mu.Lock()
	held := make([]*Attempt, 0, len(r.held))
	for a := range r.held {
		held = append(held, a)
	}
	r.mu.Unlock()
	for _, a := range held {
		r.publish(a.message.Reply, inProgress)
		switch {
		case a.stop.Load() == nil:
		case a.hasNews():
			r.spawn(func() { a.announce(context.WithoutCancel(ctx)) })
		case check:
			r.spawn(func() { a.check(ctx) })
		}
	}
}

// check ends the work on a job that is not this instance's any more.
func (a *Attempt) check(ctx context.Context) {
	now, err := a.runner.store.readRecord(ctx, a.ref)
	if err != nil {
		return // the next check may tell
	}
	if err := a.compare(now).err(); err != nil {
		a.interrupt(err)
	}
}

// hearCancel ends the work on a job that was canceled.
func (r *Runner) hearCancel(m *nats.Msg) {
	ref, ok := contract.ParseCancelSubject(m.Subject)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for a := range r.held {
		if a.ref == ref {
			a.interrupt(ErrCanceled)
		}
	}
}

// finished lets go of a job, with an acknowledgement unless it is empty.
func (r *Runner) finished(a *Attempt, acknowledgement string) {
	if acknowledgement != "" {
		r.publish(a.message.Reply, acknowledgement)
	}
	r.mu.Lock()
	delete(r.held, a)
	r.mu.Unlock()
	r.Wake()
}

// note notes how long the work of an attempt took that has ended now.
func (r *Runner) note(a *Attempt) {
	if a.started.IsZero() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mean = average(r.mean, time.Since(a.started))
}

// average returns the mean of recent durations after one more.
func average(mean, d time.Duration) time.Duration {
	if mean == 0 {
		return max(d, 1)
	}
	return max(mean+(d-mean)/8, 1)
}

func (r *Runner) publish(subject, body string) {
	if err := r.store.nc.Publish(subject, []byte(body)); err != nil {
		r.cfg.Log.Warn("acknowledge job", "service", r.cfg.Service, "error", err)
	}
}
