package decimal_test

import (
	"context"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/decimal"
)

func TestFibonacciManyAgreesWithFibonacci(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.SampledFrom([]int64{50, 2800, 30_000, 120_000}).Draw(t, "limit")
		ns := rapid.SliceOfN(rapid.Int64Range(-limit, limit), 0, 12).Draw(t, "ns")
		if len(ns) > 0 && rapid.Bool().Draw(t, "with a run") {
			for d := range rapid.Int64Range(1, 30).Draw(t, "length") {
				ns = append(ns, ns[0]+d*rapid.Int64Range(1, 3).Draw(t, "step"))
			}
		}
		terms, err := decimal.FibonacciMany(context.Background(), ns)
		if err != nil {
			t.Fatal(err)
		}
		if len(terms) != len(ns) {
			t.Fatalf("%d terms for %d indices", len(terms), len(ns))
		}
		for i, n := range ns {
			want, err := decimal.Fibonacci(context.Background(), n)
			if err != nil {
				t.Fatal(err)
			}
			if terms[i].Cmp(want) != 0 {
				t.Fatalf("F(%d) of %v = %v, want %v", n, ns, terms[i], want)
			}
		}
	})
}

func TestFibonacciManyRefuses(t *testing.T) {
	t.Parallel()
	if _, err := decimal.FibonacciMany(t.Context(), []int64{1, 1 << 40, 2}); !errors.Is(err, decimal.ErrTooLarge) {
		t.Errorf("a huge index: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, ns := range [][]int64{{10}, {50_000}, {50_000, 50_001}} {
		if _, err := decimal.FibonacciMany(ctx, ns); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, canceled: %v", ns, err)
		}
	}
}
