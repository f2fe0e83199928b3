package decimal_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/decimal"
)

// TestFibonacciByAddition compares every term of the schoolbook range and a
// stretch beyond it with the sequence's definition.
func TestFibonacciByAddition(t *testing.T) {
	t.Parallel()
	a, b := big.NewInt(0), big.NewInt(1)
	for n := range int64(2758) {
		x, err := decimal.Fibonacci(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		wantBig(t, "F("+big.NewInt(n).String()+")", x, a)
		negative, err := decimal.Fibonacci(t.Context(), -n)
		if err != nil {
			t.Fatal(err)
		}
		want := new(big.Int).Set(a)
		if n%2 == 0 {
			want.Neg(want)
		}
		wantBig(t, "F(-n)", negative, want)
		a.Add(a, b)
		a, b = b, a
	}
}

func hashOf(t testing.TB, x decimal.Int) string {
	t.Helper()
	h := sha256.New()
	if _, err := x.WriteTo(h); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// TestFibonacciGolden compares with hashes of GMP's decimal output.
func TestFibonacciGolden(t *testing.T) {
	t.Parallel()
	golden := []struct {
		n      int64
		digits int
		hash   string
	}{
		{1_000, 209, "30ad6e2a0cbbd0a636a53ce8df4f703ece426736cf4777519f1c5cffbea2e220"},
		{10_000, 2_090, "e9c83559a05641cfd86d6c192c53fdfda87b8e53470b63dc19d1d0d7526e987a"},
		{100_000, 20_899, "9fe22f691a91170da9006226d479ad986b2f92021b7045ecfb0a5091b641b802"},
		{1_000_000, 208_988, "aef6e8c19df607aa07940f2abde8460d1b34c18df1a6f46b5fc04dfe9be51706"},
		{10_000_000, 2_089_877, "dee686d8c2407fb7fae2c58f8096d07baa790709d489454691af77d29cf3fb4d"},
	}
	for _, g := range golden {
		x, err := decimal.Fibonacci(t.Context(), g.n)
		if err != nil {
			t.Fatal(err)
		}
		if x.Digits() != g.digits {
			t.Errorf("F(%d) has %d digits, want %d", g.n, x.Digits(), g.digits)
		}
		if got := hashOf(t, x); got != g.hash {
			t.Errorf("F(%d): SHA-256 %s, want %s", g.n, got, g.hash)
		}
	}
}

// TestFibonacciIdentities checks, on every tier, identities that tie together
// terms of quite different lengths:
//
//	F(m+n) = F(m) F(n+1) + F(m-1) F(n)
//	L(n)   = F(n-1) + F(n+1)
//	L(n)²  = 5 F(n)² + 4(-1)^n
func TestFibonacciIdentities(t *testing.T) {
	t.Parallel()
	for tier, c := range decimal.CalculatorsByTier() {
		t.Run(tier, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				ctx := context.Background()
				limit := rapid.SampledFrom([]int64{100, 3_000, 20_000, 60_000}).Draw(t, "limit")
				m := rapid.Int64Range(-limit, limit).Draw(t, "m")
				n := rapid.Int64Range(-3_000, 3_000).Draw(t, "n")
				must := func(x decimal.Int, err error) decimal.Int {
					if err != nil {
						t.Fatal(err)
					}
					return x
				}
				fib := func(n int64) decimal.Int { return must(c.Fibonacci(ctx, n)) }
				a := must(c.Mul(ctx, fib(m), fib(n+1)))
				b := must(c.Mul(ctx, fib(m-1), fib(n)))
				if fib(m+n).Cmp(a.Add(b)) != 0 {
					t.Fatalf("F(m+n) for m = %d, n = %d", m, n)
				}
				lucas := must(c.Lucas(ctx, m))
				if lucas.Cmp(fib(m-1).Add(fib(m+1))) != 0 {
					t.Fatalf("L(%d)", m)
				}
				square, five := must(c.Sqr(ctx, lucas)), must(c.Mul(ctx, decimal.FromInt64(5), must(c.Sqr(ctx, fib(m)))))
				if square.Sub(five).Cmp(decimal.FromInt64(4-8*(m&1))) != 0 {
					t.Fatalf("L(%d)² - 5 F(%[1]d)² = %v", m, square.Sub(five))
				}
			})
		})
	}
}

// TestFibonacciGoldenOnEveryTier repeats the golden hash that reaches all
// methods and still is quick on the slowest tier.
func TestFibonacciGoldenOnEveryTier(t *testing.T) {
	t.Parallel()
	for tier, c := range decimal.CalculatorsByTier() {
		t.Run(tier, func(t *testing.T) {
			t.Parallel()
			x, err := c.Fibonacci(t.Context(), 1_000_000)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := hashOf(t, x), "aef6e8c19df607aa07940f2abde8460d1b34c18df1a6f46b5fc04dfe9be51706"; got != want {
				t.Errorf("F(10^6): SHA-256 %s, want %s", got, want)
			}
		})
	}
}

// TestFibonacciWidth11 crosses into the width for the longest numbers. Its
// hash is that of the terms' definition: F(n) = F(n-1) + F(n-2).
func TestFibonacciWidth11(t *testing.T) {
	t.Parallel()
	const n = 41_500_001 // 8.67 million digits
	var terms [3]decimal.Int
	for i := range terms {
		x, err := decimal.Fibonacci(t.Context(), n-int64(i))
		if err != nil {
			t.Fatal(err)
		}
		terms[i] = x
	}
	if terms[0].Cmp(terms[1].Add(terms[2])) != 0 {
		t.Error("F(n) is not F(n-1) + F(n-2)")
	}
}

func TestFibonacciRefuses(t *testing.T) {
	t.Parallel()
	for _, n := range []int64{5_000_000_000, math.MaxInt64, math.MinInt64} {
		if _, err := decimal.Fibonacci(t.Context(), n); !errors.Is(err, decimal.ErrTooLarge) {
			t.Errorf("F(%d): %v", n, err)
		}
		if _, err := decimal.Lucas(t.Context(), n); !errors.Is(err, decimal.ErrTooLarge) {
			t.Errorf("L(%d): %v", n, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, n := range []int64{100, 1000, 100_000} {
		if _, err := decimal.Fibonacci(ctx, n); !errors.Is(err, context.Canceled) {
			t.Errorf("F(%d), canceled: %v", n, err)
		}
		if _, err := decimal.Lucas(ctx, n); !errors.Is(err, context.Canceled) {
			t.Errorf("L(%d), canceled: %v", n, err)
		}
	}
}

// TestProgressAndCancellation cancels a computation from its own progress
// callback, after every possible report, and looks at the reports.
func TestProgressAndCancellation(t *testing.T) {
	t.Parallel()
	for stop := 1; ; stop++ {
		ctx, cancel := context.WithCancel(t.Context())
		var reports []float64
		c := &decimal.Calculator{Progress: func(done float64) {
			if reports = append(reports, done); len(reports) == stop {
				cancel()
			}
		}}
		_, err := c.Fibonacci(ctx, 200_000)
		cancel()
		if !slices.IsSorted(reports) || slices.Min(reports) < 0 || slices.Max(reports) > 1 {
			t.Fatalf("reports %v", reports)
		}
		if reports[len(reports)-1] == 1 {
			if stop < 3 {
				t.Errorf("only %d reports", len(reports))
			}
			return
		}
		if !errors.Is(err, context.Canceled) || len(reports) != stop {
			t.Fatalf("canceled after %d reports: %d reports, %v", stop, len(reports), err)
		}
	}
}
