package client_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
)

// stages are the two ways to add a stage, for what both promise.
var stages = map[string]func(client.Pipeline[int], int, func(context.Context, int) (int, error)) client.Pipeline[int]{
	"ordered": client.Stage[int, int], "as completed": client.StageAsCompleted[int, int],
}

// collect returns the values and the error at the end.
func collect[T any](t *testing.T, values iter.Seq2[T, error]) (got []T, last error) {
	t.Helper()
	for v, err := range values {
		if last != nil {
			t.Errorf("%v, %v comes after the error %v", v, err, last)
		}
		if last = err; err == nil {
			got = append(got, v)
		}
	}
	return got, last
}

func count(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

func TestPipelineOfCalls(t *testing.T) {
	t.Parallel()
	s := start(t, fib.Service())
	term := client.Remote(s.nats, contract.FibonacciTerm)
	requests := client.Stage(client.From(count(200)), 2, func(_ context.Context, n int) (contract.TermRequest, error) {
		return contract.TermRequest{N: contract.NewInteger(int64(n))}, nil
	})
	digits := func(_ context.Context, r contract.TermResult) (int, error) { return r.Digits, nil }
	inOrder, err := collect(t, client.Stage(client.Stage(requests, 8, term), 2, digits)(t.Context()))
	if err != nil || len(inOrder) != 200 || !slices.IsSorted(inOrder) || inOrder[199] != 42 {
		t.Errorf("got %v, %v", inOrder, err)
	}
	anyOrder, err := collect(t, client.StageAsCompleted(client.StageAsCompleted(requests, 8, term), 2, digits)(t.Context()))
	slices.Sort(anyOrder)
	if err != nil || !slices.Equal(anyOrder, inOrder) {
		t.Errorf("as completed: got %v, %v", anyOrder, err)
	}
}

// Three stages of one second each that take one value at a time finish ten values in
// twelve seconds because they run at once; one after another they would need thirty.
func TestStagesRunAtOnce(t *testing.T) {
	t.Parallel()
	for name, stage := range stages {
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			var running gauge
			p := client.From(count(10))
			for range 3 {
				p = stage(p, 1, running.work)
			}
			got, err := collect(t, p(t.Context()))
			if err != nil || !slices.Equal(got, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
				t.Errorf("%s: got %v, %v", name, got, err)
			}
			if took := time.Since(begun); took != 12*time.Second || running.most.Load() != 3 {
				t.Errorf("%s: took %v with %d at once, want 12s with 3", name, took, running.most.Load())
			}
		})
	}
}

func TestOrderOfAStage(t *testing.T) {
	t.Parallel()
	// Smaller numbers take longer.
	slowly := func(_ context.Context, n int) (int, error) {
		<-time.After(time.Duration(10-n) * time.Second)
		return n, nil
	}
	want := map[string][]int{"ordered": {0, 1, 2, 3}, "as completed": {3, 2, 1, 0}}
	for name, stage := range stages {
		synctest.Test(t, func(t *testing.T) {
			if got, err := collect(t, stage(client.From(count(4)), 4, slowly)(t.Context())); err != nil || !slices.Equal(got, want[name]) {
				t.Errorf("%s: got %v, %v, want %v", name, got, err, want[name])
			}
		})
	}
}

func TestBackPressure(t *testing.T) {
	t.Parallel()
	for name, stage := range stages {
		synctest.Test(t, func(t *testing.T) {
			made := 0
			source := func(yield func(int) bool) {
				for made = 0; yield(made); made++ {
				}
			}
			const limit = 3
			p := stage(stage(client.From(source), limit, double), limit, double)
			taken := 0
			for _, err := range p(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait() // everything that can run has run
				// Each stage holds what runs, as many results and one value in hand.
				if taken++; made-taken > 2*(2*limit+2) {
					t.Fatalf("%s: %d values were made for %d", name, made, taken)
				}
				if taken == 50 {
					break
				}
			}
		})
	}
}

func TestErrorEndsThePipeline(t *testing.T) {
	t.Parallel()
	broken := func(context.Context) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			_ = yield(0, nil) && yield(2, nil) && yield(0, errOdd)
		}
	}
	endless := func(yield func(int) bool) {
		for n := 0; yield(n * n); n++ { // 0, 1: the second one fails
		}
	}
	for name, stage := range stages {
		for where, p := range map[string]client.Pipeline[int]{
			"in the source":     stage(stage(broken, 4, double), 4, double),
			"in a middle stage": stage(stage(client.From(endless), 4, half), 4, double),
			"in the last stage": stage(stage(client.From(endless), 4, double), 4, func(ctx context.Context, n int) (int, error) { return half(ctx, n/2) }),
		} {
			got, err := collect(t, p(t.Context()))
			if !errors.Is(err, errOdd) {
				t.Errorf("%s, %s: got %v, %v, want the error", name, where, got, err)
			}
			if name == "ordered" && (len(got) == 0 || got[0] != 0) {
				t.Errorf("%s, %s: got %v; what comes before the error is missing", name, where, got)
			}
		}
	}
}

// Leaving the loop and ending the context both cancel what runs in every stage.
func TestPipelineEnds(t *testing.T) {
	t.Parallel()
	first := func(ctx context.Context, n int) (int, error) {
		if n == 0 {
			return n, nil
		}
		return untilEnd(ctx, n)
	}
	for name, stage := range stages {
		synctest.Test(t, func(t *testing.T) {
			p := stage(stage(client.From(count(100)), 4, first), 4, double)
			for n, err := range p(t.Context()) {
				if n != 0 || err != nil {
					t.Errorf("%s: got %d, %v", name, n, err)
				}
				break
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			got, err := collect(t, p(ctx))
			if !slices.Equal(got, []int{0}) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: got %v, %v, want 0 and the end of the context", name, got, err)
			}
			if got, err := collect(t, p(ctx)); got != nil || !errors.Is(err, contract.CodeDeadlineExceeded) {
				t.Errorf("%s: a context that has ended makes %v, %v", name, got, err)
			}
		})
	}
}

func TestPipelineIsAPlan(t *testing.T) {
	t.Parallel()
	for name, stage := range stages {
		p := stage(client.From(count(3)), 2, double)
		for range 2 {
			got, err := collect(t, p(t.Context()))
			if slices.Sort(got); err != nil || !slices.Equal(got, []int{0, 2, 4}) {
				t.Errorf("%s: got %v, %v, the second time too", name, got, err)
			}
		}
	}
}

// ExampleStage counts the letters of words in two stages.
func ExampleStage() {
	lower := func(_ context.Context, s string) (string, error) { return strings.ToLower(s), nil }
	letters := func(_ context.Context, s string) (map[rune]int, error) {
		counts := make(map[rune]int)
		for _, r := range s {
			counts[r]++
		}
		return counts, nil
	}
	words := client.From(slices.Values([]string{"Warp", "Weft", "Heddle"}))
	counted := client.Stage(client.Stage(words, 2, lower), 2, letters)
	for counts, err := range counted(context.Background()) {
		fmt.Println(counts['e'], len(counts), err)
	}
	// Output:
	// 0 4 <nil>
	// 1 4 <nil>
	// 2 4 <nil>
}
