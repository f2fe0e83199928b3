package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/seed-649d3d38/heddle/services/sqrt/root/internal/engine"
)

func TestSqrt(t *testing.T) {
	t.Parallel()
	zeros := strings.Repeat("0", 3000)
	for _, c := range []struct {
		p, q  string
		scale int
		want  string
		rest  engine.Rest
	}{
		{"0", "1", 0, "0", engine.Zero},
		{"0", "7", 2000, "0", engine.Zero},
		{"1", "1", 3, "1000", engine.Zero},
		{"2", "1", 0, "1", engine.BelowHalf},
		{"3", "1", 0, "1", engine.AboveHalf},
		{"9", "4", 0, "1", engine.Half}, // 1.5
		{"90", "40", 0, "1", engine.Half},
		{"225", "100", 0, "1", engine.Half},
		{"225", "100", 1, "15", engine.Zero},
		{"224", "100", 0, "1", engine.BelowHalf},
		{"226", "100", 0, "1", engine.AboveHalf},
		{"22" + "4" + zeros, "1" + zeros + "00", 0, "1", engine.BelowHalf},
		{"225" + zeros, "1" + zeros + "00", 0, "1", engine.Half},
		{"225" + zeros + "1", "1" + zeros + "000", 0, "1", engine.AboveHalf},
		{"1", "4", 0, "0", engine.Half},
		{"25", "100", 0, "0", engine.Half},
		{"25", "1000", 0, "0", engine.BelowHalf},
		{"24", "100", 0, "0", engine.BelowHalf},
		{"3", "10", 0, "0", engine.AboveHalf},
		{"1", "1" + zeros, 1500, "1", engine.Zero},
		{"1", "1" + zeros, 1499, "0", engine.BelowHalf},
		{"25", "1" + zeros, 1499, "0", engine.Half},
		{"1", "3", 5, "57735", engine.BelowHalf},
		{"4" + zeros, "4", 0, "1" + zeros[:1500], engine.Zero},
	} {
		got, err := engine.Sqrt(t.Context(), c.p, c.q, c.scale)
		if err != nil || string(got.Digits) != c.want || got.Rest != c.rest {
			t.Errorf("√(%.12s/%.12s) to %d = %.20s and rest %d, %v; want %.20s and %d",
				c.p, c.q, c.scale, got.Digits, got.Rest, err, c.want, c.rest)
		}
	}
}

func TestCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	long := strings.Repeat("7", 3000)
	for _, c := range []struct {
		p, q  string
		scale int
	}{{"2", "1", 0}, {"2", "1", 1000}, {long, "1", 0}, {"2", long, 0}, {"2", long, 1000}} {
		if got, err := engine.Sqrt(ctx, c.p, c.q, c.scale); !errors.Is(err, context.Canceled) {
			t.Errorf("Sqrt(%.9s, %.9s, %d): %d digits, %v; want context.Canceled", c.p, c.q, c.scale, len(got.Digits), err)
		}
	}
	if root, _, err := engine.Integer(ctx, long); !errors.Is(err, context.Canceled) {
		t.Errorf("Integer: %d digits, %v; want context.Canceled", len(root), err)
	}
}

// FuzzInteger compares with the root of math/big, which is computed in another way.
func FuzzInteger(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		x := new(big.Int).SetBytes(data[:min(len(data), 4096)])
		for _, x := range []*big.Int{x, new(big.Int).Mul(x, x)} {
			checkInteger(t, x)
			checkInteger(t, new(big.Int).Add(x, big.NewInt(1)))
			if x.Sign() > 0 {
				checkInteger(t, new(big.Int).Sub(x, big.NewInt(1)))
			}
		}
	})
}

func checkInteger(t *testing.T, x *big.Int) {
	t.Helper()
	root, remainder, err := engine.Integer(t.Context(), x.String())
	want := new(big.Int).Sqrt(x)
	rest := new(big.Int).Sub(x, new(big.Int).Mul(want, want))
	if err != nil || string(root) != want.String() || string(remainder) != rest.String() {
		t.Errorf("√%s = %s, remainder %s, %v; want %s, remainder %s", x, root, remainder, err, want, rest)
	}
}

// FuzzSqrt compares with the definitions, by exact arithmetic on rational numbers.
func FuzzSqrt(f *testing.F) {
	f.Fuzz(func(t *testing.T, p, q uint64, pScale, qScale, scale uint8) {
		numerator, denominator := timesTen(p, pScale), timesTen(max(q, 1), qScale)
		got, err := engine.Sqrt(t.Context(), numerator.String(), denominator.String(), int(scale))
		if err != nil {
			t.Fatal(err)
		}
		x := new(big.Rat).SetFrac(numerator, denominator)
		unit := new(big.Rat).SetFrac(big.NewInt(1), timesTen(1, scale))
		s, ok := new(big.Rat).SetString(string(got.Digits))
		if !ok {
			t.Fatalf("root of %s has the digits %q", x, got.Digits)
		}
		s.Mul(s, unit)
		half := new(big.Rat).Add(s, new(big.Rat).Mul(unit, big.NewRat(1, 2)))
		next := new(big.Rat).Add(s, unit)
		if square(s).Cmp(x) > 0 || square(next).Cmp(x) <= 0 {
			t.Errorf("root of %s in units of %s is %s", x, unit, got.Digits)
		}
		rest := engine.Zero
		if square(s).Cmp(x) < 0 {
			rest = engine.Half + engine.Rest(x.Cmp(square(half)))
		}
		if got.Rest != rest {
			t.Errorf("root of %s in units of %s is %s and rest %d, want rest %d", x, unit, got.Digits, got.Rest, rest)
		}
	})
}

func timesTen(v uint64, exponent uint8) *big.Int {
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(exponent)), nil)
	return power.Mul(power, new(big.Int).SetUint64(v))
}

func square(x *big.Rat) *big.Rat { return new(big.Rat).Mul(x, x) }

func BenchmarkSqrt(b *testing.B) {
	for _, digits := range []int{0, 20, 100, 1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(digits), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := engine.Sqrt(b.Context(), "2", "1", digits); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkInteger(b *testing.B) {
	for _, digits := range []int{20, 100, 1000, 10_000, 100_000} {
		x := strings.Repeat("7", digits)
		b.Run(fmt.Sprint(digits), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := engine.Integer(b.Context(), x); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
