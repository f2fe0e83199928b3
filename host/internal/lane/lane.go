// Package lane is the overflow queue of one service: requests that reach a full
// instance wait there, in the broker, until any instance has a free slot.
//
// A lane is a bounded work queue of JetStream in memory. An instance hands a request
// over with [Lane.Hand]; it asks for as many requests as it has free slots ([Lane.Ask])
// and is offered them through [Config.Take]. Whoever takes a request answers its caller
// directly. Nothing of this blocks: the calls return at once and what comes of them
// arrives through the functions of [Config].
//
// A lane loses nothing: the instance that handed a request over keeps it until it hears
// that the request was taken, and tells the caller if the time is up before that. When
// the lane is gone, because its broker restarted or the node that held it died, one
// instance makes it anew and each hands over again what it kept. Without JetStream there
// is no lane, and Hand says so.
//
// A request of an operation that is not pure never runs twice, whatever happens to the
// broker: the instance that takes it must claim it ([Lane.Claim]) from the one that
// handed it over, which grants it once. See docs/adr/0008-claims.md.
//
// A request leaves the broker when it is taken, before the work. So what the broker
// counts is what waits, and a request from the lane is as safe as any other: it is lost
// with the instance that works on it, if that is killed.
//
// The package does not know solvers or slots; package host does.
package lane

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Entry is a request in a lane.
type Entry struct {
	// Message is the request as its caller sent it: body, header and reply subject.
	Message *nats.Msg
	// Operation is the name of the operation within the service.
	Operation string
	// Arrived is when the request came to the first instance, or to the broker.
	Arrived time.Time
	// Deadline is when the caller's time is up.
	Deadline time.Time
	// Pure says that the request may run twice. One that is not pure and was offered
	// must be claimed before it runs.
	Pure bool

	behind     bool   // others wait behind it in the lane
	taken, ack string // of an offered request: subjects for its former keeper and the broker
}

// Reason is why the lane gives up a request.
type Reason int

const (
	// Full means that the lane has no room for it.
	Full Reason = iota
	// Expired means that its caller's time ran out in the lane.
	Expired
	// Lost means that nobody is left to solve it, or to say that it may be solved.
	Lost
)

// Config says how a lane works. All members are required.
type Config struct {
	// Service is the service whose requests the lane carries.
	Service string
	// Pure tells the operations that may run twice from those that must not.
	Pure func(operation string) bool
	// Size is the number of requests the lane has room for.
	Size int
	// Log hears when the lane comes and goes.
	Log *slog.Logger

	// Free returns the number of free slots. Its changes are told with [Lane.Ask]. It
	// must not block or call the lane.
	Free func() int
	// Take is offered a request and returns whether there was a slot for it. It must not
	// block.
	Take func(e Entry) bool
	// Refuse tells the caller of a request why it will not be solved.
	Refuse func(e Entry, why Reason)
	// Idle is told when no request is known to wait any more ([Lane.Waiting]), or still
	// none. It must not block or call the lane.
	Idle func()
	// Keep gets a request back that was handed over while the lane went away. It must
	// not block.
	Keep func(e Entry)
}

const (
	// pullExpiry is how long a request for work stays with the broker.
	pullExpiry = 30 * time.Second

	// ackWait is how long an instance may take to say whether it takes a request. It
	// says so at once, unless it died meanwhile.
	ackWait = 2 * time.Second

	// silence is how long an acknowledgement of the broker may take before the lane
	// counts as lost.
	silence = 2 * time.Second

	// tick is how often the lane looks after what it keeps.
	tick = 500 * time.Millisecond

	// every is how often the lane is looked at, there or not, give or take a half: an
	// instance that only waits for work hears nothing when a node dies with the lane.
	every = 5 * time.Second
)

// Lane is one instance's end of the lane of its service. It is safe for concurrent use.
type Lane struct {
	cfg   Config
	nc    *nats.Conn
	js    jetstream.JetStream
	inbox string

	notes *nats.Subscription // what the broker and the takers say of handed requests

	repair chan struct{} // the lane needs a look
	cancel context.CancelFunc
	tended sync.WaitGroup

	mu       sync.Mutex // guards what follows
	open     bool       // the lane is there
	told     bool       // the log says that it is not
	asking   bool       // this instance wants requests
	stopping bool       // and now it does not any more
	made     time.Time  // when the broker's stream was made; another time is another stream
	lookAt   time.Time  // when the lane is looked at next
	handed   map[string]*handed
	next     uint64             // token of the next handed request
	pulls    *nats.Subscription // requests that this instance asked for
	epoch    int                // number of that subscription
	behind   bool               // others waited behind the request that was offered last
	asked    int                // requests asked for there and not come
	settled  chan struct{}      // closed when nothing handed is left; nil if nobody waits
}

// handed is a request that this instance handed over.
type handed struct {
	Entry
	since  time.Time
	stored bool
	expiry *time.Timer // tells the caller
}

// Open joins the lane of a service, and makes it if nobody has yet. Without JetStream it
// opens all the same and looks for it from time to time. The context is for opening only.
func Open(ctx context.Context, nc *nats.Conn, cfg Config) (*Lane, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("open lane: %w", err)
	}
	l := &Lane{
		cfg: cfg, nc: nc, js: js,
		inbox:  nc.NewInbox(),
		repair: make(chan struct{}, 1),
		handed: make(map[string]*handed),
	}
	if l.notes, err = nc.Subscribe(l.inbox+".note.*.*", l.onNote); err != nil {
		return nil, fmt.Errorf("open lane: %w", err)
	}
	l.ensure(ctx)
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l.cancel = cancel
	l.tended.Go(func() { l.tend(work) })
	return l, nil
}

// tend looks after the lane until ctx ends.
func (l *Lane) tend(ctx context.Context) {
	reconnected := l.nc.StatusChanged(nats.CONNECTED)
	defer l.nc.RemoveStatusListener(reconnected)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-reconnected:
			l.renewPulls() // requests for work do not survive the connection
			l.ensure(ctx)
		case <-l.repair:
			l.ensure(ctx)
		case now := <-ticker.C:
			if l.due(now) {
				l.ensure(ctx)
			}
			l.sweep(now)
		}
	}
}

// due reports whether it is time to look at the lane.
func (l *Lane) due(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return now.After(l.lookAt)
}

// sweep takes back handed requests that the broker never acknowledged.
func (l *Lane) sweep(now time.Time) {
	l.mu.Lock()
	var silent []*handed
	for token, h := range l.handed {
		if !h.stored && now.Sub(h.since) > silence {
			l.drop(token)
			silent = append(silent, h)
		}
	}
	l.settle()
	l.mu.Unlock()

	for _, h := range silent {
		l.cfg.Keep(h.Entry)
	}
	if len(silent) > 0 {
		l.look()
	}
}

// look asks for the lane to be looked at.
func (l *Lane) look() {
	select {
	case l.repair <- struct{}{}:
	default: // somebody has asked already
	}
}

// State is how a lane is.
type State struct {
	// Open says that the lane is there.
	Open bool
	// Depth is the number of requests waiting in it.
	Depth uint64
}

// State asks the broker how the lane is. It takes one exchange, of half a second at most.
func (l *Lane) State(ctx context.Context) State {
	if !l.isOpen() {
		return State{}
	}
	info, err := l.info(ctx)
	if err != nil {
		return State{} // if it is more than a moment's trouble, others notice
	}
	return State{Open: true, Depth: waiting(info)}
}

func (l *Lane) isOpen() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open
}

// token returns the last token of a subject.
func token(subject string) string { return subject[strings.LastIndexByte(subject, '.')+1:] }

// publish sends a message without a header. An error means that the connection is
// closed, and with it everything the message was for.
func (l *Lane) publish(subject, body string) { _ = l.nc.Publish(subject, []byte(body)) }

func (l *Lane) noteSubject(token, kind string) string { return l.inbox + ".note." + token + "." + kind }

// pullSubject returns where what was asked for comes. The lock is held.
func (l *Lane) pullSubject() string { return l.inbox + ".pull." + strconv.Itoa(l.epoch) }
