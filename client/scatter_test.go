package client_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
)

func TestScatterKeepsOrder(t *testing.T) {
	t.Parallel()
	s := start(t, fib.Service())
	var requests []contract.TermRequest
	for n := range int64(100) {
		requests = append(requests, contract.TermRequest{N: contract.NewInteger(99 - n)})
	}
	for name, c := range s.callers() {
		results, err := client.Scatter(t.Context(), 8, client.Remote(c, contract.FibonacciTerm), slices.Values(requests))
		if err != nil || len(results) != len(requests) {
			t.Fatalf("%s: got %d results, %v", name, len(results), err)
		}
		for i, r := range results {
			if r.N != requests[i].N {
				t.Errorf("%s: result %d is that of n = %s, want %s", name, i, r.N, requests[i].N)
			}
		}
		if results[9].Value != "2880067194370816120" {
			t.Errorf("%s: F(90) = %s", name, results[9].Value)
		}
	}
}

func TestScatterOfNothing(t *testing.T) {
	t.Parallel()
	results, err := client.Scatter(t.Context(), 3, double, slices.Values([]int(nil)))
	if results == nil || len(results) != 0 || err != nil {
		t.Errorf("got %v, %v, want no results", results, err)
	}
}

func TestScatterIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var running gauge
		parts := func(yield func(int) bool) {
			for n := 0; n < 10 && yield(n); n++ {
				if n >= int(running.finished.Load())+5 {
					t.Errorf("part %d was taken while there was no room", n)
				}
			}
		}
		results, err := client.Scatter(t.Context(), 5, running.work, parts)
		if err != nil || !slices.Equal(results, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
			t.Errorf("got %v, %v", results, err)
		}
		if running.most.Load() != 5 || time.Since(begun) != 2*time.Second {
			t.Errorf("%d ran at once for %v, want 5 for 2s", running.most.Load(), time.Since(begun))
		}
	})
}

func TestFirstErrorCancelsTheRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		started := 0
		solve := func(ctx context.Context, n int) (int, error) {
			if n == 1 {
				<-time.After(time.Second)
				return 0, errOdd
			}
			return untilEnd(ctx, n)
		}
		parts := func(yield func(int) bool) {
			for started = 0; yield(started); started++ {
			}
		}
		results, err := client.Scatter(t.Context(), 3, solve, parts)
		if results != nil || !errors.Is(err, errOdd) || err.Error() != "part 1: odd" {
			t.Errorf("got %v, %v, want the first error and its part", results, err)
		}
		if time.Since(begun) != time.Second || started > 5 {
			t.Errorf("gave up after %v and %d parts", time.Since(begun), started)
		}
	})
}

func TestScatterEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := client.Scatter(ctx, 3, untilEnd, slices.Values(make([]int, 10)))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
		}
	})
}

func TestGatherKeepsOrder(t *testing.T) {
	t.Parallel()
	join := func(_ context.Context, a, b string) (string, error) { return a + b, nil }
	rapid.Check(t, func(r *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[a-c]{0,3}`), 0, 40).Draw(r, "words")
		limit := rapid.IntRange(1, 5).Draw(r, "limit")
		got, err := client.Gather(t.Context(), limit, join, words)
		if want := strings.Join(words, ""); got != want || err != nil {
			r.Fatalf("got %q, %v, want %q", got, err, want)
		}
	})
}

func TestGatherFails(t *testing.T) {
	t.Parallel()
	merge := func(context.Context, int, int) (int, error) { return 0, errOdd }
	if _, err := client.Gather(t.Context(), 2, merge, []int{1, 2, 3}); !errors.Is(err, errOdd) {
		t.Errorf("got %v, want the error of the merge", err)
	}
}

// ExampleScatter sums the squares of some numbers, two numbers at a time.
func ExampleScatter() {
	ctx := context.Background()
	squares := func(_ context.Context, part []int) (int, error) {
		sum := 0
		for _, n := range part {
			sum += n * n
		}
		return sum, nil
	}
	add := func(_ context.Context, a, b int) (int, error) { return a + b, nil }
	sums, err := client.Scatter(ctx, 4, squares, slices.Chunk([]int{1, 2, 3, 4, 5}, 2))
	fmt.Println(sums, err)
	fmt.Println(client.Gather(ctx, 4, add, sums))
	// Output:
	// [5 25 25] <nil>
	// 55 <nil>
}
