package decimal_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/seed-649d3d38/heddle/decimal"
)

// TestNoFaultGetsPastTheCheck runs computations once to count the stages that
// hand on limbs, and then once for every stage (and some limbs and bits) with
// that limb changed. Each must end in ErrCorrupt or, if the changed limb does
// not matter any more, in the right result.
func TestNoFaultGetsPastTheCheck(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	x, y := randomInt(t, random, 900), randomInt(t, random, 700)
	short := randomInt(t, random, 300)
	long := randomInt(t, random, 12_345)
	square, err := decimal.Sqr(t.Context(), randomInt(t, random, 2_500))
	if err != nil {
		t.Fatal(err)
	}
	computations := map[string]func(*decimal.Calculator) (decimal.Int, error){
		"fibonacci short": func(c *decimal.Calculator) (decimal.Int, error) { return c.Fibonacci(t.Context(), 1234) },
		"fibonacci even":  func(c *decimal.Calculator) (decimal.Int, error) { return c.Fibonacci(t.Context(), 23456) },
		"fibonacci odd":   func(c *decimal.Calculator) (decimal.Int, error) { return c.Fibonacci(t.Context(), 54321) },
		"lucas short":     func(c *decimal.Calculator) (decimal.Int, error) { return c.Lucas(t.Context(), 1234) },
		"lucas":           func(c *decimal.Calculator) (decimal.Int, error) { return c.Lucas(t.Context(), 23457) },
		"product short":   func(c *decimal.Calculator) (decimal.Int, error) { return c.Mul(t.Context(), short, short.Neg()) },
		"product":         func(c *decimal.Calculator) (decimal.Int, error) { return c.Mul(t.Context(), x, y) },
		"square":          func(c *decimal.Calculator) (decimal.Int, error) { return c.Sqr(t.Context(), x) },
		"fibonacci many": func(c *decimal.Calculator) (decimal.Int, error) {
			terms, err := c.FibonacciMany(t.Context(), []int64{5000, 5001, 5003, 9000, 20_000})
			sum := decimal.Int{}
			for _, x := range terms {
				sum = sum.Add(x)
			}
			return sum, err
		},
		"root short": func(c *decimal.Calculator) (decimal.Int, error) { return rootOf(c.Sqrt(t.Context(), x)) },
		"root":       func(c *decimal.Calculator) (decimal.Int, error) { return rootOf(c.Sqrt(t.Context(), long)) },
		"rational root": func(c *decimal.Calculator) (decimal.Int, error) {
			root, _, err := c.Root(t.Context(), short, decimal.FromInt64(7), 5000, decimal.Up)
			return root, err
		},
		"long rational root": func(c *decimal.Calculator) (decimal.Int, error) {
			root, _, err := c.Root(t.Context(), x, y, 2000, decimal.HalfEven)
			return root, err
		},
		"root of a square": func(c *decimal.Calculator) (decimal.Int, error) {
			return rootOf(c.Sqrt(t.Context(), square))
		},
	}
	for name, compute := range computations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			provesFaultsAreCaught(t, compute)
		})
	}
}

// rootOf puts root and remainder into one number.
func rootOf(root, remainder decimal.Int, err error) (decimal.Int, error) {
	return root.Add(remainder), err
}

func provesFaultsAreCaught(t *testing.T, compute func(*decimal.Calculator) (decimal.Int, error)) {
	t.Helper()
	stages := 0
	want, err := compute(decimal.Faulty(func(string, []uint64) { stages++ }))
	if err != nil {
		t.Fatal(err)
	}
	if stages == 0 {
		t.Fatal("no stage to disturb")
	}
	random := rand.New(rand.NewPCG(3, 4))
	caught := 0
	for target := range stages {
		for range 12 {
			what, stage := "", 0
			got, err := compute(decimal.Faulty(func(name string, limbs []uint64) {
				if stage == target && len(limbs) > 0 {
					i, bit := random.IntN(len(limbs)), random.IntN(64)
					limbs[i] ^= 1 << bit
					what = fmt.Sprintf("%s: limb %d of %d, bit %d", name, i, len(limbs), bit)
				}
				stage++
			}))
			switch {
			case err == nil && got.Cmp(want) != 0:
				t.Fatalf("a wrong result left after a fault in %s", what)
			case errors.Is(err, decimal.ErrCorrupt):
				caught++
			case err != nil:
				t.Fatalf("fault in %s: %v", what, err)
			}
		}
	}
	if caught == 0 {
		t.Error("no fault was ever seen")
	}
}

// randomInt returns an integer of so many random digits.
func randomInt(t testing.TB, random *rand.Rand, digits int) decimal.Int {
	t.Helper()
	text := make([]byte, digits)
	for i := range text {
		text[i] = byte('0' + random.IntN(10))
	}
	text[0] = byte('1' + random.IntN(9))
	return mustParse(t, string(text))
}
