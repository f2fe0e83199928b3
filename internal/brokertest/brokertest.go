// Package brokertest gives tests a real broker inside the test process: no port, no
// leftovers, one per test so that tests run in parallel. It is for tests only.
//
//	b := brokertest.Start(t)
//	nc := brokertest.Connect(t, b)
//
// Tests of what happens when brokers come and go have [Listen], a broker that starts
// again where it was, and [StartCluster], a cluster whose nodes stop and start.
package brokertest

import (
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/internal/broker"
)

// Start starts a broker with JetStream in a temporary folder. It is shut down when
// the test ends.
func Start(t testing.TB) *broker.Broker {
	t.Helper()
	return StartIn(t, t.TempDir())
}

// StartIn is [Start] with the JetStream folder dir, for tests that start a second
// broker on the streams of the first; an empty dir means no JetStream.
func StartIn(t testing.TB, dir string) *broker.Broker {
	t.Helper()
	b, err := broker.Start(t.Context(), broker.Config{Dir: dir})
	if err != nil {
		t.Fatalf("start broker: %v", err)
	}
	t.Cleanup(b.Shutdown)
	return b
}

// Connect returns a new connection to the broker. It is closed when the test ends.
func Connect(t testing.TB, b *broker.Broker, opts ...nats.Option) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect("", append(opts, b.InProcess())...)
	if err != nil {
		t.Fatalf("connect to the broker: %v", err)
	}
	t.Cleanup(nc.Close)
	return nc
}
