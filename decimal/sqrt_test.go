package decimal_test

import (
	"context"
	"errors"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/decimal"
)

// TestSqrtAgainstBig draws numbers on both sides of every change of method,
// and squares and their neighbours, which are the hard ones to round.
func TestSqrtAgainstBig(t *testing.T) {
	t.Parallel()
	for tier, c := range decimal.CalculatorsByTier() {
		t.Run(tier, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				longest := rapid.SampledFrom([]int{5, 40, 80, 1200, 4500}).Draw(t, "longest")
				text := strings.TrimPrefix(drawText(t, longest, "x"), "-")
				v, _ := new(big.Int).SetString(text, 10)
				if rapid.Bool().Draw(t, "near a square") {
					v.Sqrt(v)
					v.Mul(v, v)
					v.Add(v, big.NewInt(rapid.Int64Range(-1, 1).Draw(t, "neighbour")))
					v.Abs(v)
				}
				checkSqrt(t, c, v)
			})
		})
	}
}

func checkSqrt(t fataler, c *decimal.Calculator, v *big.Int) {
	t.Helper()
	root, remainder, err := c.Sqrt(context.Background(), decimal.FromBig(v))
	if err != nil {
		t.Fatalf("Sqrt(%.40s, %d digits): %v", v, len(v.String()), err)
	}
	want := new(big.Int).Sqrt(v)
	wantBig(t, "root", root, want)
	wantBig(t, "remainder", remainder, new(big.Int).Sub(v, new(big.Int).Mul(want, want)))
}

// TestSqrtOfEveryLength takes the smallest and the largest number of every
// length up to some limbs, and squares of both.
func TestSqrtOfEveryLength(t *testing.T) {
	t.Parallel()
	c := new(decimal.Calculator)
	ten := big.NewInt(10)
	one := big.NewInt(1)
	for digits := range int64(320) {
		low := new(big.Int).Exp(ten, big.NewInt(digits), nil)
		high := new(big.Int).Sub(new(big.Int).Mul(low, ten), one)
		for _, v := range []*big.Int{low, high} {
			square := new(big.Int).Mul(v, v)
			for _, x := range []*big.Int{v, square, new(big.Int).Sub(square, one), new(big.Int).Add(square, one)} {
				checkSqrt(t, c, x)
			}
		}
	}
	for x := range int64(2000) {
		checkSqrt(t, c, big.NewInt(x))
	}
}

// TestSqrtDefinition checks r² <= x < (r+1)² for lengths beyond math/big's reach.
func TestSqrtDefinition(t *testing.T) {
	t.Parallel()
	for tier, c := range decimal.CalculatorsByTier() {
		t.Run(tier, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(5, 6))
			for _, digits := range []int{3456, 3457, 3480, 5000, 9999, 10_000, 33_333, 98_304, 100_001, 300_000} {
				x := randomInt(t, random, digits)
				checkDefinition(t, c, x)
				square, err := c.Sqr(t.Context(), x)
				if err != nil {
					t.Fatal(err)
				}
				checkDefinition(t, c, square)
				checkDefinition(t, c, square.Sub(decimal.FromInt64(1)))
			}
		})
	}
}

func checkDefinition(t *testing.T, c *decimal.Calculator, x decimal.Int) {
	t.Helper()
	root, remainder, err := c.Sqrt(t.Context(), x)
	if err != nil {
		t.Fatalf("%d digits: %v", x.Digits(), err)
	}
	square, err := c.Sqr(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	if square.Add(remainder).Cmp(x) != 0 || remainder.Sign() < 0 || remainder.Cmp(root.Add(root)) > 0 {
		t.Errorf("wrong root of a number of %d digits", x.Digits())
	}
}

func TestSqrtRefuses(t *testing.T) {
	t.Parallel()
	if _, _, err := decimal.Sqrt(t.Context(), decimal.FromInt64(-1)); !errors.Is(err, decimal.ErrNegative) {
		t.Errorf("root of -1: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := decimal.Sqrt(ctx, decimal.FromInt64(2)); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

// TestRootBound looks at the root before its remainder corrects it: the proof
// in docs/decimal-root-bound.md allows one unit.
func TestRootBound(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 8))
	for digits := 10; digits < 60_000; digits += 1 + digits/7 {
		var roots []*big.Int
		c := decimal.Faulty(func(stage string, limbs []uint64) {
			if stage == "root" {
				// The width does not matter for a difference of one.
				value := new(big.Int)
				for _, limb := range slices.Backward(limbs) {
					value.Lsh(value, 64).Add(value, new(big.Int).SetUint64(limb))
				}
				roots = append(roots, value)
			}
		})
		x := randomInt(t, random, digits)
		square, err := c.Sqr(t.Context(), x)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []decimal.Int{x, square.Add(x)} {
			roots = nil
			if _, _, err := c.Sqrt(t.Context(), v); err != nil {
				t.Fatal(err)
			}
			if d := new(big.Int).Sub(roots[0], roots[1]); d.CmpAbs(big.NewInt(1)) > 0 {
				t.Errorf("%d digits: the approximate root is %v units off", v.Digits(), d)
			}
		}
	}
}
