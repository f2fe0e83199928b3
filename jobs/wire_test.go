package jobs_test

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/internal/brokertest"
)

// wire is a way to the broker that can be frozen: bytes of both directions wait, as with
// a process that is stopped or a network that is cut, and neither end notices.
type wire struct {
	mu      sync.Mutex
	thawed  chan struct{} // closed while bytes flow
	ended   chan struct{} // closed at the end of the test
	carried sync.WaitGroup
}

// wired returns a connection to the broker over a wire.
func wired(t testing.TB, b *brokertest.Listening) (*nats.Conn, *wire) {
	t.Helper()
	w := &wire{thawed: make(chan struct{}), ended: make(chan struct{})}
	close(w.thawed)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.carried.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			w.carried.Go(func() { w.carry(client, strings.TrimPrefix(b.URL, "nats://")) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		close(w.ended)
		w.carried.Wait()
	})
	nc, err := nats.Connect("nats://"+l.Addr().String(), nats.NoReconnect())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc, w
}

// carry carries bytes between a client and the broker until one of them ends.
func (w *wire) carry(client net.Conn, address string) {
	broker, err := net.Dial("tcp", address)
	if err != nil {
		_ = client.Close()
		return
	}
	var both sync.WaitGroup
	for _, ends := range [][2]net.Conn{{client, broker}, {broker, client}} {
		both.Go(func() {
			_, _ = io.Copy(ends[1], frozen{ends[0], w})
			_ = ends[0].Close()
			_ = ends[1].Close()
		})
	}
	both.Wait()
}

// frozen reads through a wire.
type frozen struct {
	io.Reader
	wire *wire
}

// Read implements io.Reader. What has come is held back while the wire is frozen.
func (f frozen) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	f.wire.mu.Lock()
	thawed := f.wire.thawed
	f.wire.mu.Unlock()
	select {
	case <-thawed:
		return n, err
	case <-f.wire.ended:
		return 0, net.ErrClosed
	}
}

func (w *wire) freeze() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.thawed = make(chan struct{})
}

func (w *wire) thaw() {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.thawed:
	default:
		close(w.thawed)
	}
}
