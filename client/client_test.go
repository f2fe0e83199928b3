package client_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/gateway/rest"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/broker"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/internal/bus"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
	"github.com/seed-649d3d38/heddle/solver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sleepRequest asks for nothing until its time is up.
type sleepRequest struct{}

func (sleepRequest) Validate() error { return nil }

var sleep = contract.Define[sleepRequest, struct{}](contract.Spec{Service: "sleep", Operation: "long"})

func sleeper() solver.Service {
	return solver.Service{Name: "sleep", Version: "1.0.0", Operations: []solver.Operation{
		solver.Bind(sleep, func(ctx context.Context, _ sleepRequest) (struct{}, error) {
			<-ctx.Done()
			return struct{}{}, ctx.Err()
		}),
	}}
}

// suite is a broker with services and a gateway.
type suite struct {
	broker *broker.Broker
	nats   *client.NATS
	http   client.HTTP
}

func start(t *testing.T, services ...solver.Service) suite {
	t.Helper()
	b := brokertest.Start(t)
	h, err := host.Start(t.Context(), brokertest.Connect(t, b), host.Config{}, services...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Drain(context.Background()); err != nil {
			t.Errorf("drain: %v", err)
		}
	})
	nc := brokertest.Connect(t, b)
	requester, err := bus.NewRequester(nc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(requester.Close)
	gateway, err := rest.New(rest.Config{
		Endpoints: append(contract.All(), sleep.Descriptor(), repeat.Descriptor()), Requester: requester, Conn: nc,
		Log: slog.New(slog.DiscardHandler), LoopbackOnly: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gateway)
	t.Cleanup(server.Close)
	return suite{
		broker: b,
		nats:   &client.NATS{Conn: brokertest.Connect(t, b)},
		http:   client.HTTP{Base: server.URL, Client: server.Client()},
	}
}

// callers are the two ways to the same services.
func (s suite) callers() map[string]client.Caller {
	return map[string]client.Caller{"NATS": s.nats, "HTTP": s.http}
}

func TestCall(t *testing.T) {
	t.Parallel()
	s := start(t, fib.Service())
	for name, c := range s.callers() {
		got, err := client.Call(t.Context(), c, contract.FibonacciTerm, contract.TermRequest{N: "100"})
		if want := (contract.TermResult{N: "100", Value: "354224848179261915075", Digits: 21}); err != nil || got != want {
			t.Errorf("%s: got %+v, %v; want %+v", name, got, err, want)
		}
		reply, err := c.Send(t.Context(), contract.FibonacciTerm.Spec, []byte(`{"n":10}`), contract.MediaText)
		if err != nil || string(reply.Body) != "55" || reply.ContentType != contract.MediaText || reply.Instance == "" || reply.Timing == "" {
			t.Errorf("%s: got %+v, %v; want the text 55 and who made it", name, reply, err)
		}
	}
}

// TestCallOfLines calls an operation whose results come as lines unless one asks otherwise.
func TestCallOfLines(t *testing.T) {
	t.Parallel()
	s := start(t, fib.Service())
	want := []contract.SequenceTerm{{N: "-1", Value: "1"}, {N: "0", Value: "0"}}
	for name, c := range s.callers() {
		got, err := client.Call(t.Context(), c, contract.FibonacciSequence, contract.SequenceRequest{From: "-1", To: "0"})
		if err != nil || !slices.Equal(got.Terms, want) {
			t.Errorf("%s: got %v, %v; want %v", name, got, err, want)
		}
		reply, err := c.Send(t.Context(), contract.FibonacciSequence.Spec, []byte(`{"from":-1,"to":0}`), "")
		if text := "{\"n\":\"-1\",\"value\":\"1\"}\n{\"n\":\"0\",\"value\":\"0\"}\n"; err != nil || string(reply.Body) != text || reply.ContentType != contract.MediaNDJSON {
			t.Errorf("%s: got %q, %s, %v; want %q", name, reply.Body, reply.ContentType, err, text)
		}
	}
}

func TestErrorsAreTheSame(t *testing.T) {
	t.Parallel()
	s := start(t, fib.Service(), sleeper())
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	for name, c := range s.callers() {
		_, err := client.Call(t.Context(), c, contract.FibonacciTerm, contract.TermRequest{N: "1", Modulus: "0"})
		if e, ok := errors.AsType[*contract.Error](err); !ok || e.Code != contract.CodeInvalidArgument || e.Field != "modulus" {
			t.Errorf("%s: modulus 0: got %v", name, err)
		}
		_, err = client.Call(t.Context(), c, contract.SqrtInteger, contract.IntegerRootRequest{X: "4"})
		if !errors.Is(err, contract.CodeUnavailable) {
			t.Errorf("%s: no instance: got %v, want %s", name, err, contract.CodeUnavailable)
		}
		_, err = client.Call(short, c, sleep, sleepRequest{})
		if !errors.Is(err, contract.CodeDeadlineExceeded) {
			t.Errorf("%s: time-out: got %v, want %s", name, err, contract.CodeDeadlineExceeded)
		}
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = client.Call(canceled, c, sleep, sleepRequest{})
		if !errors.Is(err, contract.CodeCanceled) {
			t.Errorf("%s: cancel: got %v, want %s", name, err, contract.CodeCanceled)
		}
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	closed := brokertest.Connect(t, brokertest.Start(t))
	closed.Close()
	stranger := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(stranger.Close)
	for name, c := range map[string]client.Caller{
		"closed connection": &client.NATS{Conn: closed},
		"nobody listens":    client.HTTP{Base: "http://127.0.0.1:1"},
		"not a gateway":     client.HTTP{Base: stranger.URL, Client: stranger.Client()},
	} {
		_, err := client.Call(t.Context(), c, contract.FibonacciTerm, contract.TermRequest{N: "1"})
		if !errors.Is(err, contract.CodeUnavailable) {
			t.Errorf("%s: got %v, want %s", name, err, contract.CodeUnavailable)
		}
	}
}

func TestBadAddress(t *testing.T) {
	t.Parallel()
	_, err := client.HTTP{Base: "http://[::1"}.Send(t.Context(), contract.FibonacciTerm.Spec, nil, "")
	if err == nil {
		t.Error("a malformed address was used")
	}
}

// hosted hosts a service on a broker of its own until stop is called.
func hosted(s solver.Service) (c *client.NATS, stop func() error, err error) {
	b, err := broker.Start(context.Background(), broker.Config{})
	if err != nil {
		return c, nil, err
	}
	nc, err := nats.Connect("", b.InProcess())
	if err != nil {
		b.Shutdown()
		return c, nil, err
	}
	h, err := host.Start(context.Background(), nc, host.Config{}, s)
	if err != nil {
		nc.Close()
		b.Shutdown()
		return c, nil, err
	}
	return &client.NATS{Conn: nc}, func() error {
		defer b.Shutdown()
		defer nc.Close()
		return h.Drain(context.Background())
	}, nil
}

// ExampleCall asks a service for a term over NATS.
func ExampleCall() {
	c, stop, err := hosted(fib.Service())
	if err != nil {
		fmt.Println(err)
		return
	}
	term, err := client.Call(context.Background(), c, contract.FibonacciTerm, contract.TermRequest{N: "90"})
	fmt.Println(term.Value, err)
	fmt.Println(stop())
	// Output:
	// 2880067194370816120 <nil>
	// <nil>
}
