package rest_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/gateway/rest"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/broker"
	"github.com/seed-649d3d38/heddle/internal/bus"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
)

// A broker, a service and a gateway in one process, and a caller who knows HTTP only.
func Example() {
	ctx := context.Background()
	log := slog.New(slog.DiscardHandler)
	b, err := broker.Start(ctx, broker.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Shutdown()
	nc, err := nats.Connect("", b.InProcess())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer nc.Close()
	h, err := host.Start(ctx, nc, host.Config{}, fib.Service())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = h.Drain(ctx) }()
	requester, err := bus.NewRequester(nc)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer requester.Close()
	gateway, err := rest.New(rest.Config{
		Endpoints: contract.All(), Requester: requester, Conn: nc, Log: log, LoopbackOnly: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(gateway)
	defer server.Close()

	r, err := http.Get(server.URL + "/v1/fibonacci/term?n=100")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = r.Body.Close() }()
	body, err := io.ReadAll(r.Body)
	fmt.Println(r.Status, string(body), err)
	fmt.Println(r.Header.Get("Cache-Control"))
	// Output:
	// 200 OK {"n":"100","value":"354224848179261915075","digits":21} <nil>
	// public, max-age=31536000, immutable
}
