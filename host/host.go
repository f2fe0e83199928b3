package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/semaphore"

	"github.com/seed-649d3d38/heddle/internal/bus"
	"github.com/seed-649d3d38/heddle/jobs"
	"github.com/seed-649d3d38/heddle/solver"
)

const (
	// DefaultMemory is the memory budget in bytes when [Config] names none.
	DefaultMemory = 1 << 30

	// DefaultQueue is the number of requests that may wait for a slot of a service
	// when [Config] names none.
	DefaultQueue = 1024

	// waitingSlots is the default number of slots of a service whose work is
	// waiting: enough to keep a core busy with pages that take 100 ms each.
	waitingSlots = 64

	// readyTimeout bounds the flush that makes subscriptions known to the broker.
	readyTimeout = 5 * time.Second

	// jobGrace is how long jobs may go on once the host drains, at most half of the time
	// for that. What has not ended then goes on elsewhere.
	jobGrace = 5 * time.Second

	// lastAnswers is how long requests whose context was cancelled at the end of the
	// drain budget have to give up, so that their callers hear of it.
	lastAnswers = time.Second
)

// Config says how services are hosted. The zero value is usable.
type Config struct {
	// Slots is the number of heavy requests that each service runs at once; zero
	// means one for each core, or 64 for a service whose work is waiting.
	Slots int
	// Memory is the number of bytes that the requests running in this process may
	// need in all, by their estimates; zero means [DefaultMemory].
	Memory int64
	// Queue is the number of requests of each service that may wait for a slot: in the
	// lane, all instances together, and without one in each instance. Zero means
	// [DefaultQueue].
	Queue int
	// Jobs, if not nil, are the durable jobs that the services take when slots are free.
	Jobs *jobs.Store
	// JobsOnly says that nothing but jobs is taken: instances that may be stopped at any
	// time, or scaled to none, without a caller that notices.
	JobsOnly bool
	// Log gets what callers must not see: causes of internal errors, panics. Nil
	// discards it.
	Log *slog.Logger
	// Tracer starts a span for each request; nil means no spans, at no cost.
	Tracer trace.Tracer
	// Meter makes the instruments of the services; nil means none.
	Meter metric.Meter
}

// Host is a set of running services. It is safe for concurrent use.
type Host struct {
	nc        *nats.Conn
	log       *slog.Logger
	services  []*service
	memory    *memory
	reclaimer *reclaimer

	requester  *bus.Requester // for the requests of batches; nil without durable jobs
	jobsOnly   bool
	draining   atomic.Bool
	cancel     context.CancelCauseFunc
	cancelJobs context.CancelCauseFunc

	mu      sync.Mutex
	sealed  bool           // guarded by mu: no heavy request begins any more
	running sync.WaitGroup // heavy requests; added to under mu
}

// spawn runs f in a goroutine of the host, unless the host is past that.
func (h *Host) spawn(f func()) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.sealed {
		return false
	}
	h.running.Go(f)
	return true
}

func (h *Host) seal() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sealed = true
}

// errShutdown is the cause with which requests are cancelled when the drain budget
// is used up.
var errShutdown = errors.New("instance is shutting down")

// Start subscribes the services and returns once the broker knows them, so that a
// request sent afterwards by anybody finds them. Ending ctx does not stop the
// services, [Host.Drain] does. Start returns an error, and leaves nothing behind, if
// a service is not fit to be hosted or the connection fails.
func Start(ctx context.Context, nc *nats.Conn, cfg Config, services ...solver.Service) (*Host, error) {
	cfg = cfg.withDefaults()
	work, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	jobWork, cancelJobs := context.WithCancelCause(work)
	h := &Host{nc: nc, log: cfg.Log, jobsOnly: cfg.JobsOnly, cancel: cancel, cancelJobs: cancelJobs, memory: newMemory(cfg.Memory)}
	h.reclaimer = newReclaimer(ctx, h.reclaim)
	h.memory.watch = h.reclaimer.held
	if cfg.Jobs != nil {
		var err error
		if h.requester, err = bus.NewRequester(nc); err != nil {
			h.abandon(ctx)
			return nil, fmt.Errorf("host services: %w", err)
		}
	}
	for _, s := range services {
		err := h.serve(work, cfg, s)
		if err == nil {
			err = h.services[len(h.services)-1].takeJobs(jobWork, cfg.Jobs)
		}
		if err != nil {
			h.abandon(ctx)
			return nil, fmt.Errorf("host service %q: %w", s.Name, err)
		}
	}
	flush, stop := context.WithTimeout(ctx, readyTimeout)
	defer stop()
	if err := nc.FlushWithContext(flush); err != nil {
		h.abandon(ctx)
		return nil, fmt.Errorf("announce services: %w", err)
	}
	return h, nil
}

func (c Config) withDefaults() Config {
	if c.Memory <= 0 {
		c.Memory = DefaultMemory
	}
	if c.Queue <= 0 {
		c.Queue = DefaultQueue
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// slots returns the number of slots of the service.
func (c Config) slots(s solver.Service) int {
	switch {
	case c.Slots > 0:
		return c.Slots
	case s.Waits:
		return waitingSlots
	default:
		return runtime.GOMAXPROCS(0)
	}
}

// serve subscribes one service.
func (h *Host) serve(ctx context.Context, cfg Config, s solver.Service) error {
	if err := s.Check(); err != nil {
		return err
	}
	svc, err := newService(h, cfg, s)
	if err != nil {
		return err
	}
	h.services = append(h.services, svc)
	return svc.subscribe(ctx, cfg)
}

// abandon undoes a Start that failed.
func (h *Host) abandon(ctx context.Context) {
	for _, s := range h.services {
		s.unsubscribe()
	}
	h.cancel(errShutdown)
	h.seal()
	h.running.Wait()
	h.closeJobs(ctx)
	h.close()
}

// Ready reports why the host should get no requests now: it is draining, it has lost its
// broker, or it takes nothing but jobs and the streams of a service are not there. Nil
// means ready.
func (h *Host) Ready() error {
	switch {
	case h.draining.Load():
		return errors.New("draining")
	case !h.nc.IsConnected():
		return errors.New("not connected to the broker")
	case !h.jobsOnly:
		return nil
	}
	for _, s := range h.services {
		if r := s.jobs.Load(); r != nil && !r.Ready() {
			return fmt.Errorf("the broker has no stream for jobs of %s", s.spec.Name)
		}
	}
	return nil
}

// ComputingSlots returns the number of heavy requests that may keep a core busy at once:
// the slots of all services but those whose work is waiting.
func (h *Host) ComputingSlots() int {
	n := 0
	for _, s := range h.services {
		if !s.spec.Waits {
			n += int(s.gate.slots)
		}
	}
	return n
}

// Drain stops the intake of requests, waits until the ones in flight are answered and
// the large results among them read, as long as somebody reads them, and flushes the
// replies. It leaves the connection open. When ctx ends first, the
// requests still running are cancelled and answered [contract.CodeUnavailable], and
// Drain returns an error that says how many were. It must be called once.
func (h *Host) Drain(ctx context.Context) error {
	h.draining.Store(true)
	for _, s := range h.services {
		s.hide()
	}
	// All subscriptions are told before any is waited for: each looks for what it
	// still has to deliver every 100 ms only.
	var closed []<-chan struct{}
	for _, s := range h.services {
		closed = append(closed, s.stop()...)
		s.stopJobs()
	}
	idle := make(chan struct{})
	go func() {
		defer close(idle)
		h.awaitClosed(closed) // after this no dispatcher begins anything
		h.leaveLanes(ctx)
		h.seal()
		for _, s := range h.services {
			if s.lane != nil {
				s.lane.Close()
			}
		}
		h.running.Wait()
		h.leaveHandles(ctx)
	}()
	handBack := h.handBackJobs(ctx)
	err := h.awaitIdle(ctx, idle)
	handBack.Stop()
	h.closeJobs(ctx)
	h.close()
	return errors.Join(err, h.flush(ctx))
}

// awaitClosed waits until all subscriptions have delivered their last message. Without a
// broker, draining them would wait for its word; then they end with what they deliver now.
func (h *Host) awaitClosed(closed []<-chan struct{}) {
	lost := h.nc.StatusChanged(nats.DISCONNECTED, nats.RECONNECTING, nats.CLOSED)
	defer h.nc.RemoveStatusListener(lost)
	if !h.nc.IsConnected() {
		h.cut()
	}
	for _, c := range closed {
		select {
		case <-c:
		case <-lost:
			h.cut()
			<-c
		}
	}
}

// cut ends all subscriptions of the endpoints at once.
func (h *Host) cut() {
	for _, s := range h.services {
		for _, e := range s.endpoints {
			if e.sub != nil {
				_ = e.sub.Unsubscribe() // fails if it has ended already
			}
		}
	}
}

// close gives back what the services hold.
func (h *Host) close() {
	h.reclaimer.close()
	if h.requester != nil {
		h.requester.Close()
	}
	for _, s := range h.services {
		s.cancels.close()
		if s.spec.Close != nil {
			s.spec.Close()
		}
	}
}

// handBackJobs ends the work on jobs after their grace, so that they go on elsewhere.
func (h *Host) handBackJobs(ctx context.Context) *time.Timer {
	grace := jobGrace
	if end, ok := ctx.Deadline(); ok {
		grace = min(grace, time.Until(end)/2)
	}
	return time.AfterFunc(grace, func() { h.cancelJobs(errShutdown) })
}

// closeJobs lets what is known of jobs be stored. A job that could not be handed back in
// time is given to another instance when its lease ends.
func (h *Host) closeJobs(ctx context.Context) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), lastAnswers)
	defer stop()
	var closed sync.WaitGroup
	for _, s := range h.services {
		if r := s.jobs.Load(); r != nil {
			closed.Go(func() { r.Close(ctx) })
		}
	}
	closed.Wait()
}

// leaveLanes leaves the lanes of all services at once.
func (h *Host) leaveLanes(ctx context.Context) {
	var left sync.WaitGroup
	for _, s := range h.services {
		if s.lane != nil {
			left.Go(func() { s.leaveLane(ctx) })
		}
	}
	left.Wait()
}

// leaveHandles lets the readers of large results finish, those of all services at once.
func (h *Host) leaveHandles(ctx context.Context) {
	var left sync.WaitGroup
	for _, s := range h.services {
		if s.parts != nil {
			left.Go(func() { s.leaveHandles(ctx) })
		}
	}
	left.Wait()
}

// awaitIdle waits for idle until ctx ends, then cancels what still runs.
func (h *Host) awaitIdle(ctx context.Context, idle <-chan struct{}) error {
	select {
	case <-idle:
		h.cancel(errShutdown)
		return nil
	case <-ctx.Done():
	}
	requests, results := h.inFlight()
	h.cancel(errShutdown)
	select {
	case <-idle:
	case <-time.After(lastAnswers):
	}
	return fmt.Errorf("drain: %d requests and the readers of %d large results did not finish in time: %w", requests, results, ctx.Err())
}

// flush sends the replies that are still in the connection's buffer, even if the time
// for the drain is up. That the broker is gone is logged and is no error: when a whole
// installation is stopped, the broker may go first, and an instance that has done its part
// must not report a failure. It waits a moment, for a broker that only restarts.
func (h *Host) flush(ctx context.Context) error {
	if h.nc.IsClosed() {
		return nil
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), lastAnswers)
	defer stop()
	err := h.nc.FlushWithContext(ctx)
	switch {
	case err == nil:
		return nil
	case !h.nc.IsConnected():
		h.log.WarnContext(ctx, "drained without a broker; replies of the last moment may be lost", "error", err)
		return nil
	default:
		return fmt.Errorf("drain: flush replies: %w", err)
	}
}

// inFlight returns the number of heavy requests that are waiting or running, and of large
// results that are held.
func (h *Host) inFlight() (requests, results int64) {
	for _, s := range h.services {
		held, _ := s.handles.count()
		running := s.gate.busy.Load() - s.gate.extra.Load()
		requests, results = requests+running+s.gate.waiting.Load(), results+held
	}
	return requests, results
}

// memory is the budget that all requests of the process share.
type memory struct {
	budget   int64
	reserved atomic.Int64
	free     *semaphore.Weighted
	watch    func(reserved int64) // told whenever bytes were reserved or given back
}

func newMemory(budget int64) *memory {
	return &memory{budget: budget, free: semaphore.NewWeighted(budget), watch: func(int64) {}}
}

// reserve takes n bytes, waiting in order of arrival until they are free.
func (m *memory) reserve(ctx context.Context, n int64) error {
	if n <= 0 {
		return nil
	}
	if err := m.free.Acquire(ctx, n); err != nil {
		return err
	}
	m.watch(m.reserved.Add(n))
	return nil
}

// tryReserve takes n bytes if they are free and nobody waits for them.
func (m *memory) tryReserve(n int64) bool {
	if n <= 0 {
		return true
	}
	if !m.free.TryAcquire(n) {
		return false
	}
	m.watch(m.reserved.Add(n))
	return true
}

func (m *memory) release(n int64) {
	if n <= 0 {
		return
	}
	reserved := m.reserved.Add(-n)
	m.free.Release(n)
	m.watch(reserved)
}
