package bus_test

import (
	"runtime"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/internal/broker"
)

// BenchmarkRequest compares the requester with the library's request calls: 64
// requests in flight on one connection, over loopback, to an echo on another.
func BenchmarkRequest(b *testing.B) {
	const inFlight = 64
	server, err := broker.Start(b.Context(), broker.Config{Listen: "127.0.0.1:0"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(server.Shutdown)
	dial := func() *nats.Conn {
		nc, err := nats.Connect(server.URL())
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(nc.Close)
		return nc
	}
	subscribe(b, dial(), "echo", func(m *nats.Msg) { _ = m.Respond(m.Data) })
	nc := dial()
	r := newRequester(b, nc)

	for _, way := range []struct {
		name string
		do   func(*nats.Msg) (*nats.Msg, error)
	}{
		{"requester", func(m *nats.Msg) (*nats.Msg, error) { return r.Do(b.Context(), m, long) }},
		{"library", func(m *nats.Msg) (*nats.Msg, error) { return nc.RequestMsg(m, long) }},
		{"library with context", func(m *nats.Msg) (*nats.Msg, error) {
			return nc.RequestMsgWithContext(b.Context(), m)
		}},
	} {
		b.Run(way.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(max(1, inFlight/runtime.GOMAXPROCS(0)))
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := way.do(&nats.Msg{Subject: "echo", Data: []byte(`{"n":10}`)}); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
