package decimal_test

import (
	"context"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/decimal"
)

// fibonacciModBySteps is the oracle: fast doubling with plain remainders,
// F(2k) = F(k) (2 F(k+1) - F(k)) and F(2k+1) = F(k)² + F(k+1)².
func fibonacciModBySteps(n, m *big.Int) *big.Int {
	a, b := big.NewInt(0), big.NewInt(1) // F(k), F(k+1)
	for i := n.BitLen() - 1; i >= 0; i-- {
		c := new(big.Int).Lsh(b, 1)
		c.Sub(c, a).Mul(c, a).Mod(c, m)
		d := new(big.Int).Mul(a, a)
		d.Add(d, new(big.Int).Mul(b, b)).Mod(d, m)
		if n.Bit(i) == 0 {
			a, b = c, d
		} else {
			a, b = d, new(big.Int).Add(c, d)
		}
	}
	return a.Mod(a, m)
}

func TestFibonacciModUint64(t *testing.T) {
	t.Parallel()
	for m := uint64(1); m < 200; m++ {
		a, b := uint64(0), 1%m
		for n := range uint64(300) {
			if got := decimal.FibonacciModUint64(n, m); got != a {
				t.Fatalf("F(%d) mod %d = %d, want %d", n, m, got, a)
			}
			a, b = b, (a+b)%m
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64().Draw(t, "n")
		m := rapid.Uint64Range(1, math.MaxUint64).Draw(t, "m")
		want := fibonacciModBySteps(new(big.Int).SetUint64(n), new(big.Int).SetUint64(m))
		if got := decimal.FibonacciModUint64(n, m); got != want.Uint64() {
			t.Fatalf("F(%d) mod %d = %d, want %v", n, m, got, want)
		}
	})
}

func TestFibonacciMod(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n, m := drawText(t, 60, "n"), strings.TrimPrefix(drawText(t, 60, "m"), "-")
		x, _ := decimal.Parse(n)
		y, _ := decimal.Parse(m)
		v, _ := new(big.Int).SetString(n, 10)
		w, _ := new(big.Int).SetString(m, 10)
		want := fibonacciModBySteps(new(big.Int).Abs(v), w)
		if v.Sign() < 0 && v.Bit(0) == 0 {
			want.Neg(want).Mod(want, w)
		}
		got, err := decimal.FibonacciMod(context.Background(), x, y)
		if err != nil {
			t.Fatal(err)
		}
		wantBig(t, "F(n) mod m", got, want)
	})
}

// TestFibonacciModPisano checks known periods of F modulo 10^k (OEIS A096363)
// at indices of a hundred digits.
func TestFibonacciModPisano(t *testing.T) {
	t.Parallel()
	n := mustParse(t, strings.Repeat("8675309", 15))
	for k, period := range map[string]int64{"10": 60, "100": 300, "1000": 1500, "10000": 15000} {
		m := mustParse(t, k)
		a, err := decimal.FibonacciMod(t.Context(), n, m)
		if err != nil {
			t.Fatal(err)
		}
		b, err := decimal.FibonacciMod(t.Context(), n.Add(decimal.FromInt64(period)), m)
		if err != nil {
			t.Fatal(err)
		}
		if a.Cmp(b) != 0 {
			t.Errorf("modulo %s: F(n) = %v, F(n+%d) = %v", k, a, period, b)
		}
	}
}

func TestFibonacciModRefuses(t *testing.T) {
	t.Parallel()
	one := decimal.FromInt64(1)
	for _, m := range []int64{0, -7} {
		if _, err := decimal.FibonacciMod(t.Context(), one, decimal.FromInt64(m)); !errors.Is(err, decimal.ErrModulus) {
			t.Errorf("modulus %d: %v", m, err)
		}
	}
	huge := mustParse(t, strings.Repeat("9", decimal.MaxModDigits+1))
	if _, err := decimal.FibonacciMod(t.Context(), huge, one); !errors.Is(err, decimal.ErrTooLarge) {
		t.Errorf("huge n: %v", err)
	}
	if _, err := decimal.FibonacciMod(t.Context(), one, huge); !errors.Is(err, decimal.ErrTooLarge) {
		t.Errorf("huge m: %v", err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	long := mustParse(t, strings.Repeat("9", 1000))
	for _, m := range []decimal.Int{one, long} {
		if _, err := decimal.FibonacciMod(canceled, long, m); !errors.Is(err, context.Canceled) {
			t.Errorf("canceled: %v", err)
		}
	}
}
