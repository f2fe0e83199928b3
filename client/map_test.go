package client_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
	"github.com/seed-649d3d38/heddle/solver"
)

// patience bounds what must happen; nothing waits that long unless it fails.
const patience = 20 * time.Second

// numberRequest asks for its number.
type numberRequest struct {
	N int `json:"n"`
}

func (r numberRequest) Validate() error {
	if r.N < 0 {
		return contract.Invalid("n", "must not be negative")
	}
	return nil
}

type numberResult struct {
	N int `json:"n"`
}

var (
	number = contract.Define[numberRequest, numberResult](contract.Spec{Service: "number", Operation: "same", Pure: true})
	once   = contract.Define[numberRequest, numberResult](contract.Spec{Service: "number", Operation: "once"})
)

// numbers returns a service that calls work for each number.
func numbers(light bool, work func(context.Context, int) error) solver.Service {
	solve := func(ctx context.Context, r numberRequest) (numberResult, error) {
		return numberResult(r), work(ctx, r.N)
	}
	cost := func(numberRequest) solver.Cost { return solver.Cost{Light: light} }
	return solver.Service{Name: "number", Version: "1.0.0", Operations: []solver.Operation{
		solver.BindEstimated(number, solve, cost), solver.BindEstimated(once, solve, cost),
	}}
}

func nothing(context.Context, int) error { return nil }

// upTo yields the numbers below n.
func upTo(n int) iter.Seq[numberRequest] {
	return func(yield func(numberRequest) bool) {
		for i := range n {
			if !yield(numberRequest{i}) {
				return
			}
		}
	}
}

// wantAll drains a Map over upTo(n) and checks that every number came back once.
func wantAll(t *testing.T, n int, results iter.Seq2[client.Item[numberRequest, numberResult], error]) (indexes []int) {
	t.Helper()
	for item, err := range results {
		if err != nil || item.Result.N != item.Request.N || item.Request.N != item.Index {
			t.Fatalf("item %d: got %+v, %v", item.Index, item, err)
		}
		indexes = append(indexes, item.Index)
	}
	if got := slices.Compact(slices.Sorted(slices.Values(indexes))); len(got) != n || len(indexes) != n {
		t.Errorf("%d items came, %d different ones; want %d", len(indexes), len(got), n)
	}
	return indexes
}

func TestMap(t *testing.T) {
	t.Parallel()
	s := start(t, numbers(true, nothing))
	for _, n := range []int{0, 1, 7, 5000, 20_000} {
		wantAll(t, n, client.Map(t.Context(), s.nats, number, upTo(n), client.MapOptions{}))
	}
	wantAll(t, 300, client.Map(t.Context(), s.nats, once, upTo(300), client.MapOptions{}))
	if got := wantAll(t, 5000, client.Map(t.Context(), s.nats, number, upTo(5000), client.MapOptions{Ordered: true})); !slices.IsSorted(got) {
		t.Error("ordered items came out of order")
	}
}

func TestMapErrors(t *testing.T) {
	t.Parallel()
	s := start(t, numbers(true, nothing))
	requests := func(yield func(numberRequest) bool) {
		for i := range 1000 {
			if i%100 == 50 {
				i = -i
			}
			if !yield(numberRequest{i}) {
				return
			}
		}
	}
	bad, good := 0, 0
	for item, err := range client.Map(t.Context(), s.nats, number, requests, client.MapOptions{}) {
		switch {
		case err == nil:
			good++
		case errors.Is(err, contract.CodeInvalidArgument) && item.Request.N < 0:
			bad++
		default:
			t.Errorf("item %+v: %v", item, err)
		}
	}
	if good != 990 || bad != 10 {
		t.Errorf("%d results and %d errors, want 990 and 10", good, bad)
	}
	bad, good = 0, 0
	for _, err := range client.Map(t.Context(), s.nats, number, requests, client.MapOptions{StopAtFirstError: true, Ordered: true}) {
		if err != nil {
			bad++
		} else {
			good++
		}
	}
	if good != 50 || bad != 1 {
		t.Errorf("%d results and %d errors before the end, want 50 and 1", good, bad)
	}
}

// TestMapIsBounded counts the requests that are taken and not yielded, and those that run.
func TestMapIsBounded(t *testing.T) {
	t.Parallel()
	const most = 40
	var taken, yielded, running, peak atomic.Int64
	s := start(t, numbers(false, func(context.Context, int) error {
		now := running.Add(1)
		defer running.Add(-1)
		for p := peak.Load(); now > p && !peak.CompareAndSwap(p, now); p = peak.Load() {
		}
		return nil
	}))
	requests := func(yield func(numberRequest) bool) {
		for i := range 2000 {
			taken.Add(1)
			if !yield(numberRequest{i}) {
				return
			}
		}
	}
	const encoded = most + 1 // what waits to be sent, and one that waits for its place there
	for item, err := range client.Map(t.Context(), s.nats, number, requests, client.MapOptions{InFlight: most}) {
		if err != nil {
			t.Fatalf("item %d: %v", item.Index, err)
		}
		if open := taken.Load() - yielded.Load(); open > most+encoded {
			t.Fatalf("%d requests are taken and not yielded, want at most %d", open, most+encoded)
		}
		yielded.Add(1)
	}
	if p := peak.Load(); p > most || yielded.Load() != 2000 {
		t.Errorf("%d requests ran at once, want at most %d; %d of 2000 were yielded", p, most, yielded.Load())
	}
}

func TestMapComputesEqualRequestsOnce(t *testing.T) {
	t.Parallel()
	var solved atomic.Int64
	s := start(t, numbers(true, func(context.Context, int) error { solved.Add(1); return nil }))
	requests := func(yield func(numberRequest) bool) {
		for i := range 10_000 {
			if !yield(numberRequest{i % 7}) {
				return
			}
		}
	}
	n := 0
	for item, err := range client.Map(t.Context(), s.nats, number, requests, client.MapOptions{}) {
		if err != nil || item.Result.N != item.Index%7 {
			t.Fatalf("got %+v, %v", item, err)
		}
		n++
	}
	if n != 10_000 || solved.Load() != 7 {
		t.Errorf("%d items and %d computations, want 10000 and 7", n, solved.Load())
	}
}

// TestMapCancels leaves the loop, and ends the context, while solvers wait for the end of
// theirs.
func TestMapCancels(t *testing.T) {
	t.Parallel()
	running, ended := make(chan struct{}, 100), make(chan struct{}, 100)
	service := numbers(false, func(ctx context.Context, n int) error {
		if n == 0 {
			<-running // so that others run
			return nil
		}
		running <- struct{}{}
		<-ctx.Done()
		ended <- struct{}{}
		return ctx.Err()
	})
	service.Waits = true // slots for all of them
	s := start(t, service)
	for item, err := range client.Map(t.Context(), s.nats, number, upTo(20), client.MapOptions{}) {
		if item.Index != 0 || err != nil {
			t.Errorf("got %+v, %v; want the only one that ends", item, err)
		}
		break
	}
	await(t, ended)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	canceled := 0
	for _, err := range client.Map(ctx, s.nats, number, upTo(20), client.MapOptions{}) {
		cancel()
		if errors.Is(err, contract.CodeCanceled) {
			canceled++
		}
	}
	await(t, ended)
	if canceled == 0 {
		t.Error("no item in flight was yielded with the error of the context")
	}
}

func await(t *testing.T, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatal("the solver still works for a caller that has left")
	}
}

// TestCallCancels leaves a single call, over both ways.
func TestCallCancels(t *testing.T) {
	t.Parallel()
	running, ended := make(chan struct{}), make(chan struct{}, 1)
	wait := func(ctx context.Context, _ sleepRequest) (struct{}, error) {
		running <- struct{}{}
		<-ctx.Done()
		ended <- struct{}{}
		return struct{}{}, ctx.Err()
	}
	s := start(t, solver.Service{Name: "sleep", Version: "1.0.0", Operations: []solver.Operation{solver.Bind(sleep, wait)}})
	for name, c := range s.callers() {
		ctx, cancel := context.WithCancel(t.Context())
		var caller sync.WaitGroup
		caller.Go(func() {
			if _, err := client.Call(ctx, c, sleep, sleepRequest{}); !errors.Is(err, contract.CodeCanceled) {
				t.Errorf("%s: got %v, want %s", name, err, contract.CodeCanceled)
			}
		})
		<-running
		cancel()
		await(t, ended)
		caller.Wait()
	}
}

// TestMapWaitsForRoom sends more than a service with a small lane takes.
func TestMapWaitsForRoom(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t)
	tick := make(chan struct{})
	h, err := host.Start(t.Context(), brokertest.Connect(t, b), host.Config{Slots: 1, Queue: 2}, numbers(false, func(context.Context, int) error {
		<-tick
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { // lets one request after the other finish, slower than they come
		defer close(done)
		for range 30 {
			<-time.After(time.Millisecond)
			tick <- struct{}{}
		}
	}()
	wantAll(t, 30, client.Map(t.Context(), &client.NATS{Conn: brokertest.Connect(t, b)}, once, upTo(30), client.MapOptions{}))
	<-done
	if err := h.Drain(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestMapDuringDrain drains one of two instances in the middle of a batch.
func TestMapDuringDrain(t *testing.T) {
	t.Parallel()
	const n = 20_000
	b := brokertest.Start(t)
	var solved atomic.Int64
	half := make(chan struct{})
	var hosts []*host.Host
	for range 2 {
		h, err := host.Start(t.Context(), brokertest.Connect(t, b), host.Config{Slots: 1}, numbers(false, func(context.Context, int) error {
			if solved.Add(1) == n/2 {
				close(half)
			}
			return nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		hosts = append(hosts, h)
	}
	drained := make(chan error)
	go func() {
		<-half
		drained <- hosts[0].Drain(context.Background())
	}()
	wantAll(t, n, client.Map(t.Context(), &client.NATS{Conn: brokertest.Connect(t, b)}, number, upTo(n), client.MapOptions{}))
	if err := errors.Join(<-drained, hosts[1].Drain(t.Context())); err != nil {
		t.Error(err)
	}
	if got := solved.Load(); got != n {
		t.Errorf("%d requests solved, want %d", got, n)
	}
}

// TestMapOverClosedConnection yields one error.
func TestMapOverClosedConnection(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	nc.Close()
	n := 0
	for _, err := range client.Map(t.Context(), &client.NATS{Conn: nc}, number, upTo(10), client.MapOptions{}) {
		if !errors.Is(err, contract.CodeUnavailable) {
			t.Errorf("got %v, want %s", err, contract.CodeUnavailable)
		}
		n++
	}
	if n != 1 {
		t.Errorf("%d errors, want 1", n)
	}
}

// ExampleMap computes many terms, in order.
func ExampleMap() {
	c, stop, err := hosted(fib.Service())
	if err != nil {
		fmt.Println(err)
		return
	}
	requests := func(yield func(contract.TermRequest) bool) {
		for n := 10; n <= 50 && yield(contract.TermRequest{N: contract.Integer(strconv.Itoa(n))}); n += 10 {
		}
	}
	for item, err := range client.Map(context.Background(), c, contract.FibonacciTerm, requests, client.MapOptions{Ordered: true}) {
		fmt.Println(item.Request.N, item.Result.Value, err)
	}
	fmt.Println(stop())
	// Output:
	// 10 55 <nil>
	// 20 6765 <nil>
	// 30 832040 <nil>
	// 40 102334155 <nil>
	// 50 12586269025 <nil>
	// <nil>
}
