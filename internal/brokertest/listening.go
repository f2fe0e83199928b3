package brokertest

import (
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/internal/broker"
)

// Listening is a broker that listens on a port of loopback and can be stopped and
// started again there. It is for the goroutine of the test.
type Listening struct {
	// URL is its address; it stays the same.
	URL string

	t      testing.TB
	dir    string
	broker *broker.Broker // nil while it is stopped
}

// Listen starts a broker with JetStream on a free port. It is shut down when the test
// ends.
func Listen(t testing.TB) *Listening {
	t.Helper()
	l := &Listening{t: t, dir: t.TempDir(), URL: "nats://127.0.0.1:0"}
	l.Start()
	l.URL = l.broker.URL()
	t.Cleanup(l.Stop)
	return l
}

// ListenPlain is [Listen] without JetStream, until [Listening.Equip].
func ListenPlain(t testing.TB) *Listening {
	t.Helper()
	l := &Listening{t: t, URL: "nats://127.0.0.1:0"}
	l.Start()
	l.URL = l.broker.URL()
	t.Cleanup(l.Stop)
	return l
}

// Equip gives the broker JetStream from its next start on.
func (l *Listening) Equip() { l.dir = l.t.TempDir() }

// Start starts the broker if it is stopped.
func (l *Listening) Start() {
	l.t.Helper()
	if l.broker != nil {
		return
	}
	b, err := broker.Start(l.t.Context(), broker.Config{Dir: l.dir, Listen: strings.TrimPrefix(l.URL, "nats://")})
	if err != nil {
		l.t.Fatalf("start broker: %v", err)
	}
	l.broker = b
}

// Stop stops the broker, and with it all connections to it. It returns when the port is
// free.
func (l *Listening) Stop() {
	if l.broker != nil {
		l.broker.Shutdown()
		l.broker = nil
	}
}

// Connect returns a new connection that comes back when the broker does. It is closed
// when the test ends.
func (l *Listening) Connect(opts ...nats.Option) *nats.Conn {
	l.t.Helper()
	opts = append([]nats.Option{nats.MaxReconnects(-1), nats.ReconnectWait(quick)}, opts...)
	nc, err := nats.Connect(l.URL, opts...)
	if err != nil {
		l.t.Fatalf("connect to the broker: %v", err)
	}
	l.t.Cleanup(nc.Close)
	return nc
}

// Restart stops the broker and starts it again. What it kept in memory is lost.
func (l *Listening) Restart() {
	l.t.Helper()
	l.Stop()
	l.Start()
}
