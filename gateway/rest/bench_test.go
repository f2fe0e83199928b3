package rest_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/gateway/rest"
	"github.com/seed-649d3d38/heddle/internal/broker"
	"github.com/seed-649d3d38/heddle/internal/bus"
)

// The two benchmarks send the same small request over 64 connections to the same
// service, a bare micro endpoint; what lies between is the gateway in the one and the
// least that could stand in its place in the other. Client, gateway, broker and service
// share the process. The gateway is to reach 0.80 of the bare one.

func BenchmarkGateway(b *testing.B) {
	nc := benchService(b)
	requester, err := bus.NewRequester(nc)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(requester.Close)
	gateway, err := rest.New(rest.Config{
		Endpoints: contract.All(), Requester: requester, Conn: nc, Log: slog.New(slog.DiscardHandler),
		LoopbackOnly: true, Meter: sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())).Meter("bench"),
	})
	if err != nil {
		b.Fatal(err)
	}
	load(b, gateway)
}

func BenchmarkBare(b *testing.B) {
	nc := benchService(b)
	load(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		reply, err := nc.RequestWithContext(r.Context(), contract.FibonacciTerm.Subject(), body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(reply.Data)
	}))
}

// benchService starts a broker with a service that answers at once, and returns the
// connection for a gateway. Both talk to the broker over TCP.
func benchService(b *testing.B) *nats.Conn {
	b.Helper()
	server, err := broker.Start(b.Context(), broker.Config{Listen: "127.0.0.1:0"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(server.Shutdown)
	connect := func() *nats.Conn {
		nc, err := nats.Connect(server.URL())
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(nc.Close)
		return nc
	}
	service, err := micro.AddService(connect(), micro.Config{Name: "fibonacci", Version: "1.0.0"})
	if err != nil {
		b.Fatal(err)
	}
	answer := []byte(`{"n":"10","value":"55","digits":2}`)
	headers := micro.WithHeaders(micro.Headers{
		contract.HeaderInstance: {"Xqf7pVvWf0qzYxU1n4Nd2B"}, contract.HeaderServerTiming: {"queue;dur=0.012, work;dur=0.034"},
	})
	err = service.AddEndpoint("term", micro.HandlerFunc(func(r micro.Request) {
		_ = r.Respond(answer, headers)
	}), micro.WithEndpointSubject(contract.FibonacciTerm.Subject()))
	if err != nil {
		b.Fatal(err)
	}
	return connect()
}

// load sends b.N requests to the handler over 64 connections.
func load(b *testing.B, handler http.Handler) {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := rest.NewServer(handler, slog.New(slog.DiscardHandler))
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) })
	b.Cleanup(func() {
		_ = server.Shutdown(context.Background())
		serving.Wait()
	})
	const connections = 64
	transport := &http.Transport{MaxIdleConnsPerHost: connections}
	b.Cleanup(transport.CloseIdleConnections)
	url := "http://" + listener.Addr().String() + contract.FibonacciTerm.Route()
	body := []byte(`{"n":"10"}`)
	b.SetParallelism(connections / runtime.GOMAXPROCS(0))
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, bytes.NewReader(body))
			if err != nil {
				b.Error(err)
				return
			}
			request.Header.Set("Content-Type", "application/json")
			response, err := transport.RoundTrip(request)
			if err != nil {
				b.Error(err)
				return
			}
			_, err = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
			if err != nil || response.StatusCode != http.StatusOK {
				b.Errorf("status %d: %v", response.StatusCode, err)
				return
			}
		}
	})
}
