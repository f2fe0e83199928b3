package bus_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/internal/broker"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/internal/bus"
)

// connect connects and closes the connection when the test ends.
func connect(t *testing.T, o bus.Options, extra ...nats.Option) *nats.Conn {
	t.Helper()
	nc, err := bus.Connect(t.Context(), "tester", o, discard(), extra...)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// listen starts a broker on any free port; it is shut down when the test ends.
func listen(t *testing.T) *broker.Broker {
	t.Helper()
	b, err := broker.Start(t.Context(), broker.Config{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Shutdown)
	return b
}

// place is an address at which there is a broker or none, as the test says. It dials
// for the client, so that no test depends on a port being still free.
type place struct {
	mu     sync.Mutex
	broker *broker.Broker
}

func (p *place) put(b *broker.Broker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broker = b
}

func (p *place) Dial(network, address string) (net.Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broker == nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	return new(net.Dialer).DialContext(context.Background(), network, strings.TrimPrefix(p.broker.URL(), "nats://"))
}

func TestConnect(t *testing.T) {
	t.Parallel()
	nc := connect(t, bus.Options{}, brokertest.Start(t).InProcess())
	if nc.Opts.Name != "tester" {
		t.Errorf("name = %q", nc.Opts.Name)
	}
	if inbox := nc.NewInbox(); !strings.HasPrefix(inbox, "_INBOX.tester.") {
		t.Errorf("inbox = %q, want one below _INBOX.tester", inbox)
	}
}

func TestConnectRefusesName(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t)
	for _, name := range []string{"", "a.b", "a b", "*", "a>"} {
		if _, err := bus.Connect(t.Context(), name, bus.Options{}, discard(), b.InProcess()); err == nil {
			t.Errorf("name %q is accepted", name)
		}
	}
}

func TestConnectWaitsForBroker(t *testing.T) {
	t.Parallel()
	there, log := &place{}, newLines()
	connected := make(chan error)
	go func() {
		nc, err := bus.Connect(t.Context(), "tester", bus.Options{}, log.log(), nats.SetCustomDialer(there))
		if err == nil {
			nc.Close()
		}
		connected <- err
	}()
	log.await("waiting for the broker")
	there.put(listen(t))
	if err := <-connected; err != nil {
		t.Error(err)
	}
}

func TestConnectGivesUpWithContext(t *testing.T) {
	t.Parallel()
	log := newLines()
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	go func() {
		log.await("waiting for the broker")
		cancel(enough)
	}()
	o := bus.Options{Server: "nats://joe:secret@127.0.0.1:4222"}
	_, err := bus.Connect(ctx, "tester", o, log.log(), nats.SetCustomDialer(&place{}))
	if !errors.Is(err, enough) || !errors.Is(err, nats.ErrNoServers) {
		t.Errorf("error = %v, want the cause and why no try succeeded", err)
	}
	if !strings.Contains(err.Error(), "127.0.0.1:4222") || strings.Contains(err.Error(), "secret") {
		t.Errorf("error = %q, want the address without the password", err)
	}
}

func TestReconnects(t *testing.T) {
	t.Parallel()
	there, log := &place{}, newLines()
	b := listen(t)
	there.put(b)
	nc, err := bus.Connect(t.Context(), "tester", bus.Options{}, log.log(), nats.SetCustomDialer(there))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	b.Shutdown()
	log.await("lost the broker, reconnecting")
	there.put(listen(t))
	log.await("reconnected to the broker")
	if !nc.IsConnected() {
		t.Error("not connected")
	}
}

func TestLogsSlowConsumer(t *testing.T) {
	t.Parallel()
	b, log := brokertest.Start(t), newLines()
	nc, err := bus.Connect(t.Context(), "tester", bus.Options{}, log.log(), b.InProcess())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	release := make(chan struct{})
	sub, err := nc.Subscribe("flood", func(*nats.Msg) { <-release })
	if err != nil {
		t.Fatal(err)
	}
	defer close(release)
	if err := sub.SetPendingLimits(1, -1); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if err := nc.Publish("flood", nil); err != nil {
			t.Fatal(err)
		}
	}
	log.await("subscription too slow, messages dropped")
}

func TestContext(t *testing.T) {
	t.Parallel()
	b := listen(t)
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "here.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Run("names the server", func(t *testing.T) {
		path := write(`{"url":"` + b.URL() + `","inbox_prefix":"_INBOX.mine"}`)
		nc := connect(t, bus.Options{Context: path})
		if inbox := nc.NewInbox(); !strings.HasPrefix(inbox, "_INBOX.mine.") {
			t.Errorf("inbox = %q, want the prefix of the context", inbox)
		}
	})
	t.Run("server option wins", func(t *testing.T) {
		path := write(`{"url":"nats://127.0.0.1:1"}`)
		connect(t, bus.Options{Context: path, Server: b.URL()})
	})
	t.Run("unknown", func(t *testing.T) {
		_, err := bus.Connect(t.Context(), "tester", bus.Options{Context: "heddle-no-such-context"}, discard())
		if err == nil || !strings.Contains(err.Error(), "heddle-no-such-context") {
			t.Errorf("error = %v, want one that names the context", err)
		}
	})
	t.Run("broken file", func(t *testing.T) {
		if _, err := bus.Connect(t.Context(), "tester", bus.Options{Context: write("{")}, discard()); err == nil {
			t.Error("no error")
		}
	})
}
