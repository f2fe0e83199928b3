package client_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/broker"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
)

// BenchmarkCall calls a light operation over loopback, with so many calls in flight for
// each processor. All sides are in the process, so its processor time by the number of
// calls is what a call costs in all.
func BenchmarkCall(b *testing.B) {
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
	h, err := host.Start(b.Context(), dial(), host.Config{}, fib.Service())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := h.Drain(context.Background()); err != nil {
			b.Error(err)
		}
	})
	c := &client.NATS{Conn: dial()}
	for _, inFlight := range []int{1, 32} {
		b.Run(strconv.Itoa(inFlight), func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(inFlight)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := client.Call(b.Context(), c, contract.FibonacciTerm, contract.TermRequest{N: "10"}); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
