package decimal_test

import (
	"context"
	"errors"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/decimal"
)

// TestProductsAgainstBig draws lengths on both sides of every change of method.
func TestProductsAgainstBig(t *testing.T) {
	t.Parallel()
	for tier, c := range decimal.CalculatorsByTier() {
		t.Run(tier, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				longest := rapid.SampledFrom([]int{20, 450, 900, 6000}).Draw(t, "longest")
				a, b := drawText(t, longest, "a"), drawText(t, 900, "b")
				x, _ := decimal.Parse(a)
				y, _ := decimal.Parse(b)
				v, _ := new(big.Int).SetString(a, 10)
				w, _ := new(big.Int).SetString(b, 10)
				z, err := c.Mul(context.Background(), x, y)
				if err != nil {
					t.Fatal(err)
				}
				wantBig(t, "x * y", z, new(big.Int).Mul(v, w))
				z, err = c.Sqr(context.Background(), x)
				if err != nil {
					t.Fatal(err)
				}
				wantBig(t, "x²", z, new(big.Int).Mul(v, v))
			})
		})
	}
}

// TestProductOfNines fills every coefficient and every carry to the brim:
// (10^m - 1)(10^n - 1) = 10^(m+n) - 10^m - 10^n + 1.
func TestProductOfNines(t *testing.T) {
	t.Parallel()
	power := func(digits int) decimal.Int { return mustParse(t, "1"+zeros(digits)) }
	one := decimal.FromInt64(1)
	for tier, c := range decimal.CalculatorsByTier() {
		t.Run(tier, func(t *testing.T) {
			t.Parallel()
			for _, d := range [][2]int{{0, 5}, {1, 1}, {18, 18}, {36, 432}, {432, 432}, {433, 433}, {576, 577}, {12, 73_729},
				{73_728, 73_728}, {433, 90_000}, {100_000, 250_000}, {4_400_000, 4_300_000}} {
				x, y := power(d[0]).Sub(one), power(d[1]).Sub(one)
				z, err := c.Mul(t.Context(), x, y)
				if err != nil {
					t.Fatal(err)
				}
				if want := power(d[0] + d[1]).Sub(power(d[0])).Sub(power(d[1])).Add(one); z.Cmp(want) != 0 {
					t.Errorf("%d nines times %d nines is wrong", d[0], d[1])
				}
			}
		})
	}
}

func TestProductsHonourTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	x := mustParse(t, "1"+zeros(1000))
	if _, err := decimal.Mul(ctx, x, x); !errors.Is(err, context.Canceled) {
		t.Errorf("Mul: %v", err)
	}
	if _, err := decimal.Sqr(ctx, x); !errors.Is(err, context.Canceled) {
		t.Errorf("Sqr: %v", err)
	}
}
