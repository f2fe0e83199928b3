package host_test

import (
	"context"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/solver"
)

// BenchmarkLight measures light requests, 64 in flight from one connection. The broker
// and the callers are in the same process; bench/ separates them.
func BenchmarkLight(b *testing.B) {
	broker := brokertest.Start(b)
	h, err := host.Start(b.Context(), brokertest.Connect(b, broker), host.Config{}, service(say, solver.Cost{Light: true}))
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := h.Drain(context.Background()); err != nil {
			b.Error(err)
		}
	}()
	nc := brokertest.Connect(b, broker)
	inbox := nc.NewInbox()
	room := make(chan struct{}, 64)
	var answered sync.WaitGroup
	if _, err := nc.Subscribe(inbox, func(m *nats.Msg) {
		if m.Header.Get(contract.HeaderErrorCode) != "" {
			b.Errorf("got %s", m.Data)
		}
		<-room
		answered.Done()
	}); err != nil {
		b.Fatal(err)
	}
	body := []byte(`{"text":"42"}`)
	b.ReportAllocs()
	for b.Loop() {
		room <- struct{}{}
		answered.Add(1)
		if err := nc.PublishRequest(echo.Subject(), inbox, body); err != nil {
			b.Fatal(err)
		}
	}
	answered.Wait()
}
