package client_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
)

// untilEnd is work that ends with its context.
func untilEnd(ctx context.Context, _ int) (int, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

// double is work that succeeds at once.
func double(_ context.Context, n int) (int, error) { return 2 * n, nil }

var errOdd = errors.New("odd")

// half is work that fails for odd numbers.
func half(_ context.Context, n int) (int, error) {
	if n%2 != 0 {
		return 0, errOdd
	}
	return n / 2, nil
}

// gauge counts how many run at once, and how many have run.
type gauge struct{ now, most, finished atomic.Int64 }

func (g *gauge) work(ctx context.Context, n int) (int, error) {
	now := g.now.Add(1)
	defer g.finished.Add(1)
	defer g.now.Add(-1)
	for most := g.most.Load(); now > most && !g.most.CompareAndSwap(most, now); most = g.most.Load() {
	}
	select {
	case <-time.After(time.Second): // in a bubble
		return n, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func TestFuturesOfCalls(t *testing.T) {
	t.Parallel()
	s := start(t, fib.Service())
	for name, c := range s.callers() {
		term := client.Remote(c, contract.FibonacciTerm)
		g := client.NewGroup(4)
		var mu sync.Mutex
		heard := make(map[contract.Integer]contract.Integer)
		var futures []*client.Future[contract.TermResult]
		inputs := []contract.Integer{"4", "3", "8", "6", "10", "0", "-8"}
		for _, n := range inputs {
			futures = append(futures, client.Go(t.Context(), g, term, contract.TermRequest{N: n}).Then(func(r contract.TermResult, err error) {
				mu.Lock()
				defer mu.Unlock()
				if _, twice := heard[n]; twice || err != nil {
					t.Errorf("%s: callback for %s: repeated %v, error %v", name, n, twice, err)
				}
				heard[n] = r.Value
			}))
		}
		g.Wait()
		for i, want := range []contract.Integer{"3", "2", "21", "8", "55", "0", "-21"} {
			if r, err := futures[i].Wait(t.Context()); err != nil || r.Value != want || heard[inputs[i]] != want {
				t.Errorf("%s: F(%s): got %v, %v and the callback %v, want %s", name, inputs[i], r.Value, err, heard[inputs[i]], want)
			}
		}
	}
}

func TestFutureOfCallThatIsRefused(t *testing.T) {
	t.Parallel()
	s := start(t, fib.Service(), sleeper())
	g := client.NewGroup(2)
	ctx, cancel := context.WithCancel(t.Context())
	refused := client.Go(ctx, g, client.Remote(s.nats, contract.FibonacciTerm), contract.TermRequest{N: "1", Modulus: "0"})
	if _, err := refused.Wait(t.Context()); !errors.Is(err, contract.CodeInvalidArgument) {
		t.Errorf("got %v, want %s", err, contract.CodeInvalidArgument)
	}
	canceled := client.Go(ctx, g, client.Remote(s.nats, sleep), sleepRequest{})
	cancel()
	if _, err := canceled.Wait(t.Context()); !errors.Is(err, contract.CodeCanceled) {
		t.Errorf("got %v, want %s", err, contract.CodeCanceled)
	}
	g.Wait()
}

func TestGroupBoundsWhatRuns(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		limit    int
		want     int64
		duration time.Duration
	}{{-1, 1, 12 * time.Second}, {0, 1, 12 * time.Second}, {1, 1, 12 * time.Second}, {4, 4, 3 * time.Second}, {100, 12, time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			var running gauge
			g := client.NewGroup(tt.limit)
			for n := range 12 {
				client.Go(t.Context(), g, running.work, n)
			}
			g.Wait()
			if most, took := running.most.Load(), time.Since(begun); most != tt.want || took != tt.duration {
				t.Errorf("limit %d: %d ran at once and all took %v, want %d and %v", tt.limit, most, took, tt.want, tt.duration)
			}
		})
	}
}

func TestGoGivesUpWaitingForAPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := client.NewGroup(1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		first := client.Go(ctx, g, untilEnd, 0)
		impatient, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		ran := false
		second := client.Go(impatient, g, func(context.Context, int) (int, error) {
			ran = true
			return 0, nil
		}, 0)
		if _, err := second.Wait(t.Context()); !errors.Is(err, contract.CodeDeadlineExceeded) || ran {
			t.Errorf("got %v and ran %v, want %s and false", err, ran, contract.CodeDeadlineExceeded)
		}
		cancel()
		if _, err := first.Wait(t.Context()); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the error of the function", err)
		}
		third := client.Go(ctx, g, double, 1)
		if _, err := third.Wait(t.Context()); !errors.Is(err, contract.CodeCanceled) {
			t.Errorf("got %v after the end, want %s", err, contract.CodeCanceled)
		}
		g.Wait()
	})
}

func TestWaitEndsWithItsOwnContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := client.NewGroup(1)
		var running gauge
		f := client.Go(t.Context(), g, running.work, 7)
		impatient, stop := context.WithTimeout(t.Context(), time.Millisecond)
		defer stop()
		if _, err := f.Wait(impatient); !errors.Is(err, contract.CodeDeadlineExceeded) {
			t.Errorf("got %v, want %s", err, contract.CodeDeadlineExceeded)
		}
		<-f.Done()
		if n, err := f.Wait(impatient); n != 7 || err != nil {
			t.Errorf("got %d, %v after the end; the result is there, whatever the context says", n, err)
		}
		g.Wait()
	})
}

func TestCallbacks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := client.NewGroup(1)
		var heard []string
		hear := func(who string) func(int, error) {
			return func(n int, err error) { heard = append(heard, fmt.Sprint(who, n, err)) }
		}
		f := client.Go(t.Context(), g, (&gauge{}).work, 1).Then(hear("a")).Then(hear("b"))
		g.Wait()
		f.Then(hear("c"))
		client.Go(t.Context(), g, half, 1).Then(hear("d"))
		g.Wait()
		if want := []string{"a1 <nil>", "b1 <nil>", "c1 <nil>", "d0 odd"}; !slices.Equal(heard, want) {
			t.Errorf("heard %q, want %q", heard, want)
		}
	})
}

// A slow callback keeps no place, and a callback may start work in its own group.
func TestCallbacksHoldUpNoWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		g := client.NewGroup(1)
		chained := make(chan int, 1)
		client.Go(t.Context(), g, double, 1).Then(func(n int, _ error) {
			<-time.After(time.Hour)
			client.Go(t.Context(), g, double, n).Then(func(n int, _ error) { chained <- n })
		})
		if n, err := client.Go(t.Context(), g, double, 4).Wait(t.Context()); n != 8 || err != nil || time.Since(begun) != 0 {
			t.Errorf("got %d, %v after %v, want 8 at once", n, err, time.Since(begun))
		}
		g.Wait()
		if n := <-chained; n != 4 {
			t.Errorf("the chain made %d, want 4", n)
		}
	})
}

// ExampleGo starts work, hears of each result as it comes, and waits for all.
func ExampleGo() {
	ctx := context.Background()
	g := client.NewGroup(2)
	length := func(_ context.Context, s string) (int, error) { return len(s), nil }
	warp := client.Go(ctx, g, length, "warp")
	weft := client.Go(ctx, g, length, "weft thread").Then(func(n int, err error) {
		fmt.Println("called back:", n, err)
	})
	g.Wait()
	a, _ := warp.Wait(ctx)
	b, _ := weft.Wait(ctx)
	fmt.Println(a, b)
	// Output:
	// called back: 11 <nil>
	// 4 11
}

// ExampleRemote gives a call and a function of the program to the same code.
func ExampleRemote() {
	ctx := context.Background()
	here := fib.SolveTerm
	there := client.Remote(client.HTTP{Base: "http://127.0.0.1:1"}, contract.FibonacciTerm)
	for _, term := range []func(context.Context, contract.TermRequest) (contract.TermResult, error){here, there} {
		r, err := term(ctx, contract.TermRequest{N: "90"})
		fmt.Println(strconv.Quote(string(r.Value)), errors.Is(err, contract.CodeUnavailable))
	}
	// Output:
	// "2880067194370816120" false
	// "" true
}
