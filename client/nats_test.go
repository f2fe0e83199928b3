package client_test

import (
	"context"
	"errors"
	"testing"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
	"github.com/seed-649d3d38/heddle/solver"
)

// TestCallsShareOneSubscription looks at the connection while many calls, and a batch, are
// in flight, and after the client is closed.
func TestCallsShareOneSubscription(t *testing.T) {
	t.Parallel()
	const calls = 20
	started, release := make(chan struct{}, 2*calls), make(chan struct{})
	b := brokertest.Start(t)
	h, err := host.Start(t.Context(), brokertest.Connect(t, b), host.Config{Slots: 2 * calls}, solver.Service{
		Name: "sleep", Version: "1.0.0", Operations: []solver.Operation{
			solver.Bind(sleep, func(context.Context, sleepRequest) (struct{}, error) {
				started <- struct{}{}
				<-release
				return struct{}{}, nil
			}),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	nc := brokertest.Connect(t, b)
	c := &client.NATS{Conn: nc}
	done := make(chan error, calls+1)
	for range calls {
		go func() {
			_, err := client.Call(t.Context(), c, sleep, sleepRequest{})
			done <- err
		}()
	}
	go func() {
		var errs []error
		for _, err := range client.Map(t.Context(), c, sleep, func(yield func(sleepRequest) bool) {
			for i := 0; i < calls && yield(sleepRequest{}); i++ {
			}
		}, client.MapOptions{}) {
			errs = append(errs, err)
		}
		done <- errors.Join(errs...)
	}()
	for range calls + 1 { // all calls, and the batch has begun
		<-started
	}
	if n := nc.NumSubscriptions(); n != 1 {
		t.Errorf("%d subscriptions, want 1", n)
	}
	close(release)
	for range calls + 1 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	c.Close()
	if n := nc.NumSubscriptions(); n != 0 {
		t.Errorf("closed: %d subscriptions, want none", n)
	}
	if err := h.Drain(context.Background()); err != nil {
		t.Error(err)
	}
}

// TestCloseEndsCalls closes a client with a call in flight, which ends the work too, and
// uses it again.
func TestCloseEndsCalls(t *testing.T) {
	t.Parallel()
	begun, ended := make(chan struct{}), make(chan struct{})
	s := start(t, fib.Service(), solver.Service{Name: "sleep", Version: "1.0.0", Operations: []solver.Operation{
		solver.Bind(sleep, func(ctx context.Context, _ sleepRequest) (struct{}, error) {
			close(begun)
			<-ctx.Done()
			close(ended)
			return struct{}{}, ctx.Err()
		}),
	}})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error)
	go func() {
		_, err := client.Call(ctx, s.nats, sleep, sleepRequest{})
		done <- err
	}()
	<-begun
	s.nats.Close()
	if err := <-done; !errors.Is(err, contract.CodeUnavailable) {
		t.Errorf("got %v, want %s", err, contract.CodeUnavailable)
	}
	await(t, ended)
	term, err := client.Call(ctx, s.nats, contract.FibonacciTerm, contract.TermRequest{N: "10"})
	if err != nil || term.Value != "55" {
		t.Errorf("after the end: got %v, %v, want 55", term.Value, err)
	}
}
