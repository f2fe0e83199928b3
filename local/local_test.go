package local_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/daemon"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/broker"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/local"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
	"github.com/seed-649d3d38/heddle/solver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errUse = errors.New("broken on purpose")

func TestInstances(t *testing.T) {
	t.Parallel()
	err := local.Run(t.Context(), local.Config{Services: daemon.Fixed(fib.Service()), Instances: 2},
		func(ctx context.Context, nc *nats.Conn) error {
			tally := client.NewTally(&client.NATS{Conn: nc})
			// One of the two is left out with a probability of 2^-63.
			requests := slices.Repeat([]contract.TermRequest{{N: "10"}}, 64)
			_, err := client.Scatter(ctx, 8, client.Remote(tally, contract.FibonacciTerm), slices.Values(requests))
			if n := len(tally.Counts()); n != 2 {
				t.Errorf("%d instances have answered, want 2", n)
			}
			return err
		})
	if err != nil {
		t.Error(err)
	}
}

func TestNamedBroker(t *testing.T) {
	t.Parallel()
	b, err := broker.Start(t.Context(), broker.Config{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Shutdown)
	h, err := host.Start(t.Context(), brokertest.Connect(t, b), host.Config{}, fib.Service())
	if err != nil {
		t.Fatal(err)
	}
	err = local.Run(t.Context(), local.Config{Server: b.URL()}, func(ctx context.Context, nc *nats.Conn) error {
		_, err := client.Call(ctx, &client.NATS{Conn: nc}, contract.FibonacciTerm, contract.TermRequest{N: "10"})
		return err
	})
	if err := errors.Join(err, h.Drain(t.Context())); err != nil {
		t.Error(err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	never := func(context.Context, *nats.Conn) error {
		t.Error("used all the same")
		return nil
	}
	if err := local.Run(t.Context(), local.Config{Server: "nats://127.0.0.1:1"}, never); !errors.Is(err, contract.CodeUnavailable) {
		t.Errorf("no broker: got %v, want %s", err, contract.CodeUnavailable)
	}
	broken := func() ([]solver.Service, error) { return nil, errUse }
	if err := local.Run(t.Context(), local.Config{Services: broken}, never); !errors.Is(err, errUse) {
		t.Errorf("services that cannot be made: got %v", err)
	}
	if err := local.Run(t.Context(), local.Config{Services: daemon.Fixed(solver.Service{Name: "empty"})}, never); err == nil {
		t.Error("a service without operations was hosted")
	}
	use := func(context.Context, *nats.Conn) error { return errUse }
	if err := local.Run(t.Context(), local.Config{}, use); !errors.Is(err, errUse) {
		t.Errorf("got %v, want the error of the caller", err)
	}
}

func TestServicesAreClosed(t *testing.T) {
	t.Parallel()
	var closed atomic.Int64
	services := func() ([]solver.Service, error) {
		s := fib.Service()
		s.Close = func() { closed.Add(1) }
		return []solver.Service{s}, nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := local.Run(ctx, local.Config{Services: services, Instances: 3}, func(context.Context, *nats.Conn) error {
		cancel() // the drain has a time of its own
		return nil
	})
	if err != nil || closed.Load() != 3 {
		t.Errorf("%d instances were closed, want 3; error %v", closed.Load(), err)
	}
}

// ExampleRun calls a service in the same process.
func ExampleRun() {
	err := local.Run(context.Background(), local.Config{Services: daemon.Fixed(fib.Service())},
		func(ctx context.Context, nc *nats.Conn) error {
			term, err := client.Call(ctx, &client.NATS{Conn: nc}, contract.FibonacciTerm, contract.TermRequest{N: "90"})
			fmt.Println(term.Value)
			return err
		})
	fmt.Println(err)
	// Output:
	// 2880067194370816120
	// <nil>
}
