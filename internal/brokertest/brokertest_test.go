package brokertest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/seed-649d3d38/heddle/internal/brokertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestListening shows that a connection survives a restart, and streams in memory do not.
func TestListening(t *testing.T) {
	t.Parallel()
	l := brokertest.ListenPlain(t)
	back := make(chan struct{}, 1)
	nc := l.Connect(nats.ReconnectHandler(func(*nats.Conn) { back <- struct{}{} }))
	l.Stop()
	l.Equip()
	l.Start()
	<-back
	if nc.ConnectedUrl() != l.URL {
		t.Errorf("connected to %q, want %q", nc.ConnectedUrl(), l.URL)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	memory := jetstream.StreamConfig{Name: "S", Storage: jetstream.MemoryStorage}
	if _, err := js.CreateStream(t.Context(), memory); err != nil {
		t.Fatal(err)
	}
	l.Restart()
	<-back
	if _, err := js.Stream(t.Context(), "S"); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("after the restart: %v, want no stream", err)
	}
}

// TestCluster shows that a stream without replicas is lost with its node, that the other
// nodes go on, and that the node comes back.
func TestCluster(t *testing.T) {
	t.Parallel()
	c := brokertest.StartCluster(t)
	nc := c.Connect(0)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	memory := jetstream.StreamConfig{Name: "S", Storage: jetstream.MemoryStorage}
	if _, err := js.CreateStream(t.Context(), memory); err != nil {
		t.Fatal(err)
	}
	holder := c.Holder("S")
	c.Stop(holder)
	c.AwaitReady()
	survivor := c.Connect((holder + 1) % 3)
	if err := survivor.FlushTimeout(10 * time.Second); err != nil {
		t.Errorf("a surviving node does not answer: %v", err)
	}
	c.Start(holder)
	if url := c.Connect(holder).ConnectedUrl(); url == survivor.ConnectedUrl() {
		t.Errorf("connected to %s, want the node that came back", url)
	}
}
