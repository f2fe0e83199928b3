package decimal_test

import (
	"context"
	"errors"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/decimal"
)

var modes = []decimal.Rounding{decimal.HalfEven, decimal.HalfUp, decimal.HalfDown, decimal.Up, decimal.Down, decimal.Ceiling, decimal.Floor}

// roundedRoot is the oracle: √(p/q)·10^digits, rounded by the definition of the
// modes, all comparisons made exactly.
func roundedRoot(p, q *big.Int, digits int, mode decimal.Rounding) (root *big.Int, exact bool) {
	p, q = new(big.Int).Abs(p), new(big.Int).Abs(q)
	scaled := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(2*digits)), nil)
	scaled.Mul(scaled, p)
	root = new(big.Int).Div(scaled, q)
	root.Sqrt(root)
	square := new(big.Int).Mul(root, root)
	if square.Mul(square, q).Cmp(scaled) == 0 {
		return root, true
	}
	odd := new(big.Int).Lsh(root, 1)
	odd.Add(odd, big.NewInt(1))
	odd.Mul(odd, odd).Mul(odd, q)
	half := new(big.Int).Lsh(scaled, 2).Cmp(odd) // 4p against (2s+1)² q
	up := false
	switch mode {
	case decimal.Up, decimal.Ceiling:
		up = true
	case decimal.HalfUp:
		up = half >= 0
	case decimal.HalfDown:
		up = half > 0
	case decimal.HalfEven:
		up = half > 0 || half == 0 && root.Bit(0) == 1
	}
	if up {
		root.Add(root, big.NewInt(1))
	}
	return root, false
}

func checkRoot(t fataler, c *decimal.Calculator, p, q *big.Int, digits int, mode decimal.Rounding) {
	t.Helper()
	root, exact, err := c.Root(context.Background(), decimal.FromBig(p), decimal.FromBig(q), digits, mode)
	if err != nil {
		t.Fatalf("Root(%.40s/%.40s, %d, %s): %v", p, q, digits, mode, err)
	}
	want, wantExact := roundedRoot(p, q, digits, mode)
	if root.String() != want.String() || exact != wantExact {
		t.Fatalf("Root(%.40s/%.40s, %d, %s) = %.40s %t, want %.40s %t", p, q, digits, mode, root, exact, want, wantExact)
	}
}

// TestRootOfSmallRationals goes through all small fractions; among them are
// all kinds of exact roots and ties.
func TestRootOfSmallRationals(t *testing.T) {
	t.Parallel()
	c := new(decimal.Calculator)
	for p := range int64(60) {
		for q := int64(1); q < 45; q++ {
			for digits := range 3 {
				for _, mode := range modes {
					checkRoot(t, c, big.NewInt(p), big.NewInt(q), digits, mode)
				}
			}
		}
	}
}

func TestRootAgainstBig(t *testing.T) {
	t.Parallel()
	for tier, c := range decimal.CalculatorsByTier() {
		t.Run(tier, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				longest := rapid.SampledFrom([]int{10, 20, 60, 900}).Draw(t, "longest")
				p, _ := new(big.Int).SetString(drawText(t, longest, "p"), 10)
				q, _ := new(big.Int).SetString(drawText(t, longest, "q"), 10)
				if p.Sign() != q.Sign() {
					p.Neg(p)
				}
				digits := rapid.SampledFrom([]int{0, 1, 17, 300, 2500}).Draw(t, "digits")
				switch rapid.IntRange(0, 3).Draw(t, "kind") {
				case 0: // an exact root
					p.Mul(p, p)
					q.Mul(q, q)
				case 1: // a tie: (2p+1)²/4
					p.Lsh(p.Abs(p), 1).Add(p, big.NewInt(1)).Mul(p, p)
					q.SetInt64(4)
					digits = 0
				case 2: // a tie of long numbers
					q.Abs(q)
					p.Lsh(p.Abs(p), 1).Add(p, big.NewInt(1)).Mul(p, p).Mul(p, q)
					q.Lsh(q, 2)
					digits = 0
				}
				checkRoot(t, c, p, q, digits, rapid.SampledFrom(modes).Draw(t, "mode"))
			})
		})
	}
}

// TestRootGolden compares √2, truncated, with hashes of GMP's decimal output.
func TestRootGolden(t *testing.T) {
	t.Parallel()
	golden := map[int]string{
		1_000:     "fdff9834807cf632afd3f791c8debfe3b49a4c076491affd515655bca44832a4",
		10_000:    "8f6eac26201657dab5aafdf9b5d877d0e9fd998b12393b69ccf710e98e9c3752",
		100_000:   "dc5669f3c231d8a89289cdd4c49a67f1cf63426b8e02eb35e3251182cb1be39e",
		1_000_000: "e1fbbd14d50d3f17d3a8ac073187d793f8ced39b0a836bf60578fa2d821ec2b3",
	}
	for tier, c := range decimal.CalculatorsByTier() {
		t.Run(tier, func(t *testing.T) {
			t.Parallel()
			for digits, want := range golden {
				root, exact, err := c.Root(t.Context(), decimal.FromInt64(2), decimal.FromInt64(1), digits, decimal.Down)
				if err != nil {
					t.Fatal(err)
				}
				if got := hashOf(t, root); got != want || exact || root.Digits() != digits+1 {
					t.Errorf("√2 to %d digits: SHA-256 %s of %d digits, want %s", digits, got, root.Digits(), want)
				}
			}
		})
	}
}

func TestRootRefuses(t *testing.T) {
	t.Parallel()
	one, minus, zero := decimal.FromInt64(1), decimal.FromInt64(-1), decimal.Int{}
	tests := []struct {
		name   string
		p, q   decimal.Int
		digits int
		want   error
	}{
		{"zero denominator", one, zero, 1, decimal.ErrZeroDenominator},
		{"zero by zero", zero, zero, 1, decimal.ErrZeroDenominator},
		{"negative", minus, one, 1, decimal.ErrNegative},
		{"negative denominator", one, minus, 1, decimal.ErrNegative},
		{"digits", one, one, -1, decimal.ErrDigits},
		{"too many digits", one, one, 1 << 40, decimal.ErrTooLarge},
	}
	for _, tt := range tests {
		if _, _, err := decimal.Root(t.Context(), tt.p, tt.q, tt.digits, decimal.HalfEven); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	if _, _, err := decimal.Root(t.Context(), one, one, 1, "nearest"); err == nil {
		t.Error("unknown mode: no error")
	}
	if root, exact, err := decimal.Root(t.Context(), minus, minus, 3, decimal.Up); err != nil || !exact || root.String() != "1000" {
		t.Errorf("√(-1/-1) = %v %t %v", root, exact, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, q := range []decimal.Int{one, decimal.FromInt64(3), mustParse(t, "1"+zeros(40))} {
		if _, _, err := decimal.Root(ctx, one, q, 5000, decimal.Up); !errors.Is(err, context.Canceled) {
			t.Errorf("canceled: %v", err)
		}
	}
}
