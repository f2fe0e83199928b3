package jobs

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/contract"
)

// The jobs of every tenant and class but those of the default tenant have a queue in a
// runner and a consumer at the broker only while there are some. Both come by themselves:
// the queue when the runner hears that jobs were queued, or finds some, and the consumer
// when a runner with a queue has none to ask. A job whose tenant has no consumer just lies
// in its stream, so that submitting one needs no consumer and none may be made for it.
const (
	// stay is how long a queue is kept after a sign that it has jobs.
	stay = 10 * time.Second

	// tellEvery is how often a [Store] tells of the jobs of one tenant and class. In
	// between, runners have the queue.
	tellEvery = 2 * time.Second

	// maxTold bounds what a [Store] remembers of that. It then tells more often.
	maxTold = 4096

	// maxQueues is the number of queues of a runner above which it takes no notice of
	// further ones until it looks itself.
	maxQueues = 4096

	// consumerIdle is how long a consumer without jobs is kept that nobody asks. The
	// broker keeps 1,000 for each stream unless told otherwise.
	consumerIdle = time.Minute

	// maxScanPause is the longest time between two searches for jobs without a consumer,
	// as long as they find none.
	maxScanPause = time.Minute
)

// told remembers of which tenants and classes runners were told, and when. Its zero value
// is usable.
type told struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// isNews reports whether it is time to tell on the subject, and notes that it was done.
func (t *told) isNews(subject string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Sub(t.last[subject]) < tellEvery {
		return false
	}
	if t.last == nil || len(t.last) >= maxTold {
		t.last = make(map[string]time.Time)
	}
	t.last[subject] = now
	return true
}

// tell tells runners that a job was queued, unless they know that its tenant has jobs. If
// they do not hear it they find the job by themselves.
func (s *Store) tell(ctx context.Context, ref contract.JobRef, class contract.JobClass) {
	subject := contract.QueuedSubject(ref.Tenant, ref.Service, class)
	if ref.Tenant == contract.DefaultTenant || !s.told.isNews(subject, time.Now()) {
		return
	}
	if err := s.nc.Publish(subject, nil); err != nil {
		s.cfg.Log.WarnContext(ctx, "tell that jobs were queued", "subject", subject, "error", err)
	}
}

// makeTenant makes the consumer of a tenant's jobs of one class, and pauses it if the
// service is paused. Whoever pauses a service pauses the default tenant first, so one of
// the two sees the other's.
func (s *Store) makeTenant(ctx context.Context, service string, class contract.JobClass, tenant string) error {
	stream, consumer := contract.WorkStream(service), workConsumer(service, class, tenant)
	if tenant != contract.DefaultTenant {
		consumer.InactiveThreshold = s.idle
	}
	if err := s.makeConsumer(ctx, stream, consumer); err != nil {
		return err
	}
	c, err := s.js.Consumer(ctx, stream, contract.WorkConsumer(class, contract.DefaultTenant))
	if err != nil {
		return err
	}
	if until := c.CachedInfo().Config.PauseUntil; until != nil && until.After(time.Now()) {
		_, err = s.js.PauseConsumer(ctx, stream, contract.WorkConsumer(class, tenant), *until)
	}
	return err
}

// crowd is a tenant and class that has jobs.
type crowd struct {
	class  contract.JobClass
	tenant string
}

// crowds returns the tenants and classes of a service that have jobs and a consumer, and
// whether there seem to be jobs without one.
func (s *Store) crowds(ctx context.Context, service string) (found []crowd, more bool, err error) {
	stream, err := s.js.Stream(ctx, contract.WorkStream(service))
	if err != nil || stream.CachedInfo().State.Msgs == 0 {
		return nil, false, err
	}
	covered := uint64(0)
	consumers := stream.ListConsumers(ctx)
	for c := range consumers.Info() {
		jobs := c.NumPending + uint64(max(0, c.NumAckPending))
		covered += jobs
		if class, tenant, ok := contract.ParseWorkConsumer(c.Name); ok && jobs > 0 {
			found = append(found, crowd{class, tenant})
		}
	}
	if err := consumers.Err(); err != nil {
		return nil, false, err
	}
	if covered >= stream.CachedInfo().State.Msgs {
		return found, false, nil
	}
	// Jobs come and go between the two readings. If it is for that, one of the readings
	// before and after does not have more.
	now, err := stream.Info(ctx)
	return found, err == nil && covered < now.State.Msgs, err
}

// scanCrowds returns all tenants and classes of a service that have jobs, by the subjects
// of the jobs: 50 ms of the broker's time for each 100,000.
func (s *Store) scanCrowds(ctx context.Context, service string) ([]crowd, error) {
	stream, err := s.js.Stream(ctx, contract.WorkStream(service))
	if err != nil {
		return nil, err
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(contract.WorkSubjects("*", service, "*")+">"))
	if err != nil {
		return nil, err
	}
	all := make(map[crowd]bool)
	var found []crowd
	for subject := range info.State.Subjects {
		ref, class, ok := contract.ParseWorkSubject(subject)
		if c := (crowd{class, ref.Tenant}); ok && !all[c] {
			all[c] = true
			found = append(found, c)
		}
	}
	return found, nil
}

// tenants is what a runner knows of its coming and going queues.
type tenants struct {
	last      int       // id of a queue
	looking   bool      // for queues
	lookAt    time.Time // when that is done next
	scanAt    time.Time // when jobs without a consumer may be searched for
	scanPause time.Duration
	crowded   bool // the log says that there can be no more consumers
}

func (t *tenants) nextID() int {
	t.last++
	return t.last
}

// learn returns the queue of the tenant and class, which has jobs. The lock is held.
func (r *Runner) learn(class contract.JobClass, tenant string) *queue {
	q := r.turns.find(class, tenant)
	if q == nil {
		q = &queue{class: class, tenant: tenant, id: r.tenants.nextID()}
		r.turns.queues = slices.Insert(r.turns.queues, 0, q)
	}
	q.until = time.Now().Add(stay)
	return q
}

// tend ends queues that have had no jobs for a while, and sees from time to time whether
// there are others.
func (r *Runner) tend(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.turns.queues = slices.DeleteFunc(r.turns.queues, func(q *queue) bool {
		return q.tenant != contract.DefaultTenant && now.After(q.until) && q.taken() == 0 && !q.making
	})
	if r.stopping || !r.ready || r.tenants.looking || now.Before(r.tenants.lookAt) {
		return
	}
	r.tenants.looking = true
	r.others.Go(func() { r.look(ctx) })
}

// look finds the tenants that have jobs, also those of which nobody told: a trusted
// publisher may put jobs into the stream, and this instance may have begun after others.
func (r *Runner) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	found, more, err := r.store.crowds(ctx, r.cfg.Service)
	if err == nil && more && r.mayScan() {
		found, err = r.store.scanCrowds(ctx, r.cfg.Service)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.tenants.looking, r.tenants.lookAt = false, now.Add(lookEvery/2+rand.N(lookEvery))
	if err != nil {
		r.cfg.Log.DebugContext(ctx, "look for tenants", "service", r.cfg.Service, "error", err)
		return
	}
	for _, c := range found {
		if !slices.Contains(classes[:], c.class) || contract.CheckTenant(c.tenant) != nil {
			continue // no consumer can have the name
		}
		if r.turns.find(c.class, c.tenant) == nil {
			r.tenants.scanPause = 0 // looking was worth while
		}
		r.learn(c.class, c.tenant)
	}
	r.Wake()
}

// mayScan reports whether it is time to search for jobs without a consumer.
func (r *Runner) mayScan() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if now.Before(r.tenants.scanAt) {
		return false
	}
	r.tenants.scanAt = now.Add(r.tenants.scanPause)
	r.tenants.scanPause = min(max(2*r.tenants.scanPause, lookEvery), maxScanPause)
	return true
}

// isOpen reports whether the queue may be asked for, and sees that its consumer is made.
// The lock is held.
func (r *Runner) isOpen(ctx context.Context, q *queue, now time.Time) bool {
	switch {
	case q.tenant == contract.DefaultTenant:
		return true
	case now.After(q.until):
		return false
	case !q.made && !q.making && !now.Before(q.retry):
		q.making = true
		r.others.Go(func() { r.makeQueue(ctx, q) })
	}
	return q.made
}

// makeQueue makes the consumer of a queue, if it is not there.
func (r *Runner) makeQueue(ctx context.Context, q *queue) {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	err := r.store.makeTenant(ctx, r.cfg.Service, q.class, q.tenant)
	r.mu.Lock()
	defer r.mu.Unlock()
	q.making, q.made = false, err == nil
	api, _ := errors.AsType[*jetstream.APIError](err)
	switch {
	case err == nil:
		r.tenants.crowded = false
	case errors.Is(err, jetstream.ErrStreamNotFound):
		r.ready, r.lookAt = false, time.Time{}
	case api != nil && api.ErrorCode == tooManyConsumers:
		q.retry = time.Now().Add(lookEvery)
		if !r.tenants.crowded {
			r.tenants.crowded = true
			r.cfg.Log.WarnContext(ctx, "more tenants have jobs than the broker takes consumers; the next ones wait until others have none", "service", r.cfg.Service, "error", err)
		}
	default:
		q.retry = time.Now().Add(lookEvery)
		r.cfg.Log.DebugContext(ctx, "make consumer of tenant", "service", r.cfg.Service, "tenant", q.tenant, "error", err)
	}
	r.Wake()
}

// tooManyConsumers is the server's code for a stream that takes no more consumers.
const tooManyConsumers = 10026

// missing notes that the consumer of a queue is not there, or its stream. The lock is held.
func (r *Runner) missing(q *queue) {
	if q.tenant == contract.DefaultTenant {
		r.ready, r.lookAt = false, time.Time{}
		return
	}
	q.made, q.retry = false, time.Now().Add(writePause)
}

// hearQueued hears that a tenant has jobs.
func (r *Runner) hearQueued(m *nats.Msg) {
	tenant, _, class, ok := contract.ParseQueuedSubject(m.Subject)
	if !ok || !slices.Contains(classes[:], class) || contract.CheckTenant(tenant) != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.turns.queues) < maxQueues || r.turns.find(class, tenant) != nil {
		r.learn(class, tenant)
		r.Wake()
	}
}
