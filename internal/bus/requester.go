package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
)

const (
	// shardCount spreads the requests in flight over as many locks. It is a power of
	// two; 64 is the number of requests in flight the gateway is measured with.
	shardCount = 64

	// tokenBase writes the number of a request into its reply subject.
	tokenBase = 36

	// retryAfter is what a caller that met no instance is told to wait: about the time
	// a restarted instance takes to be back.
	retryAfter = time.Second
)

// Requester sends requests over one connection and hands each its reply. It does what
// [nats.Conn.RequestMsg] does with less work per request: one wildcard subscription, no
// derived context, no new timer or channel, no lock that all requests share. It is safe
// for concurrent use.
//
//	r, err := bus.NewRequester(nc)
//	if err != nil {
//		return err
//	}
//	defer r.Close()
//	reply, err := r.Do(ctx, &nats.Msg{Subject: subject, Data: body}, time.Second)
type Requester struct {
	nc     *nats.Conn
	sub    *nats.Subscription
	prefix string // of reply subjects, up to the token
	last   atomic.Uint64
	calls  sync.Pool // of *call
	shards [shardCount]shard
	doing  sync.WaitGroup

	// closing is closed when no more replies are waited for: by Close, or because the
	// connection was closed.
	closing   chan struct{}
	closeOnce sync.Once
	// gone is closed when the subscription delivers no more.
	gone chan struct{}
}

// shard holds the calls whose numbers fall to it. The padding keeps the locks of two
// shards out of one cache line.
type shard struct {
	mu      sync.Mutex
	waiting map[uint64]*call
	closed  bool
	_       [40]byte
}

// call is what one Do waits with. Whoever takes a call out of its shard owns it: the
// subscription then puts exactly one message into reply, a Do that gave up may use the
// call again. So no late reply can reach another request.
type call struct {
	reply chan *nats.Msg // room for one, so that the subscription never waits
	timer *time.Timer
}

func newCall() any {
	c := &call{reply: make(chan *nats.Msg, 1), timer: time.NewTimer(time.Hour)}
	c.timer.Stop()
	return c
}

// NewRequester returns a requester on the connection, which it uses but does not own.
// It returns an error if the connection is closed or draining.
func NewRequester(nc *nats.Conn) (*Requester, error) {
	r := &Requester{
		nc:      nc,
		prefix:  nc.NewInbox() + ".",
		calls:   sync.Pool{New: newCall},
		closing: make(chan struct{}),
		gone:    make(chan struct{}),
	}
	for i := range r.shards {
		r.shards[i].waiting = make(map[uint64]*call)
	}
	sub, err := nc.Subscribe(r.prefix+"*", r.deliver)
	if err != nil {
		return nil, fmt.Errorf("subscribe to replies: %w", err)
	}
	sub.SetClosedHandler(func(string) {
		r.stop()
		close(r.gone)
	})
	// Delivery never waits, so the queue holds no more than what just arrived: replies
	// to calls in flight, whose number and size the callers bound.
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return nil, errors.Join(fmt.Errorf("subscribe to replies: %w", err), sub.Unsubscribe())
	}
	r.sub = sub
	return r, nil
}

// Do sends the request and returns its reply, whatever that says: error replies are
// replies too. It sets m.Reply and otherwise leaves m alone; m may be used again when
// Do has returned. A deadline of ctx counts as well as the timeout.
//
// Without a reply Do returns a [*contract.Error]: [contract.CodeUnavailable] with a
// RetryAfter when nobody subscribes to the subject (its cause is then
// [nats.ErrNoResponders]), the broker cannot be reached or the requester or its connection
// is closed; [contract.CodeDeadlineExceeded] when the time ran out;
// [contract.CodeCanceled] when ctx was cancelled;
// [contract.CodeRequestTooLarge] when the broker does not take messages of that size;
// [contract.CodeInternal] for a message that cannot be sent at all. A connection that
// is lost after the request was sent does not end the wait, since the reply may still
// come over the next one. When ctx ends or the requester is closed, the service hears that
// nobody waits any more.
func (r *Requester) Do(ctx context.Context, m *nats.Msg, timeout time.Duration) (*nats.Msg, error) {
	if err := ctx.Err(); err != nil {
		return nil, contract.FromError(err)
	}
	if timeout <= 0 {
		return nil, contract.FromError(context.DeadlineExceeded)
	}
	if !r.nc.IsConnected() {
		return nil, unreachable(nats.ErrDisconnected)
	}
	c := r.calls.Get().(*call)
	id := r.last.Add(1)
	if !r.register(id, c) {
		r.calls.Put(c)
		return nil, unreachable(nats.ErrConnectionClosed)
	}
	defer r.doing.Done()
	m.Reply = r.replySubject(id)
	c.timer.Reset(timeout)
	reply, err := r.send(ctx, m, c)
	c.timer.Stop()
	if err != nil && !r.forget(id) {
		// The reply is already on its way to us and wins over giving up.
		reply, err = <-c.reply, nil
	}
	r.calls.Put(c)
	if err != nil {
		if r.left(ctx) {
			Cancel(r.nc, m)
		}
		return nil, err
	}
	if noResponders(reply) {
		return nil, unavailable("nobody answers %s at the moment; try again later", m.Subject).WithCause(nats.ErrNoResponders)
	}
	return reply, nil
}

// send publishes the request and waits for the first thing to happen.
func (r *Requester) send(ctx context.Context, m *nats.Msg, c *call) (*nats.Msg, error) {
	if err := r.nc.PublishMsg(m); err != nil {
		return nil, r.publishError(m, err)
	}
	select {
	case reply := <-c.reply:
		return reply, nil
	case <-c.timer.C:
		return nil, contract.FromError(context.DeadlineExceeded)
	case <-ctx.Done():
		return nil, contract.FromError(ctx.Err())
	case <-r.closing:
		return nil, unreachable(nats.ErrConnectionClosed)
	}
}

// left reports whether the caller has left before its time was up: its context or the
// requester has ended.
func (r *Requester) left(ctx context.Context) bool {
	select {
	case <-r.closing:
		return true
	default:
		return ctx.Err() != nil
	}
}

// replySubject returns the subject for the reply to the request of that number.
func (r *Requester) replySubject(id uint64) string {
	var buf [128]byte
	return string(strconv.AppendUint(append(buf[:0], r.prefix...), id, tokenBase))
}

// deliver hands a reply to the call that waits for it. Late, second and foreign
// messages find none and are dropped.
func (r *Requester) deliver(m *nats.Msg) {
	id, err := strconv.ParseUint(m.Subject[len(r.prefix):], tokenBase, 64)
	if err != nil {
		return
	}
	s := &r.shards[id%shardCount]
	s.mu.Lock()
	c, ok := s.waiting[id]
	delete(s.waiting, id)
	s.mu.Unlock()
	if ok {
		c.reply <- m
	}
}

// register makes the call wait for the reply to the request of that number, unless the
// requester is closed.
func (r *Requester) register(id uint64, c *call) bool {
	s := &r.shards[id%shardCount]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	r.doing.Add(1)
	s.waiting[id] = c
	return true
}

// forget takes back a call and reports whether it was still waiting; if it was not, a
// message is about to be in its channel.
func (r *Requester) forget(id uint64) bool {
	s := &r.shards[id%shardCount]
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.waiting[id]
	delete(s.waiting, id)
	return ok
}

// Close ends the calls in flight with [contract.CodeUnavailable] and waits until they
// have returned and no reply is handled any more. Later calls of Do fail; later calls
// of Close do nothing. The connection stays open.
func (r *Requester) Close() {
	r.stop()
	r.doing.Wait()
	_ = r.sub.Unsubscribe() // fails only if the connection has closed it before
	<-r.gone
}

// stop refuses new calls, then ends the waiting ones.
func (r *Requester) stop() {
	r.closeOnce.Do(func() {
		for i := range r.shards {
			s := &r.shards[i]
			s.mu.Lock()
			s.closed = true
			s.mu.Unlock()
		}
		close(r.closing)
	})
}

// noResponders reports whether the broker itself replied that nobody subscribes.
func noResponders(m *nats.Msg) bool {
	const status = "503"
	return len(m.Data) == 0 && m.Header.Get("Status") == status
}

// publishError says in the words of the contract why the request was not sent.
func (r *Requester) publishError(m *nats.Msg, err error) error {
	switch {
	case errors.Is(err, nats.ErrMaxPayload):
		return contract.Errorf(contract.CodeRequestTooLarge,
			"the request has %d bytes; the broker takes at most %d with headers", m.Size(), r.nc.MaxPayload()).WithCause(err)
	case errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, nats.ErrConnectionDraining),
		errors.Is(err, nats.ErrReconnectBufExceeded):
		return unreachable(err)
	default:
		return contract.FromError(fmt.Errorf("send request to %s: %w", m.Subject, err))
	}
}

func unreachable(cause error) error {
	return unavailable("the broker cannot be reached at the moment; try again later").WithCause(cause)
}

func unavailable(format string, args ...any) *contract.Error {
	e := contract.Errorf(contract.CodeUnavailable, format, args...)
	e.RetryAfter = retryAfter
	return e
}
