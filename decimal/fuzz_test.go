package decimal_test

import (
	"context"
	"math/big"
	"strings"
	"testing"

	"github.com/seed-649d3d38/heddle/decimal"
)

// maxFuzzText bounds what a fuzzer makes math/big, the slow one, work on.
const maxFuzzText = 5_000

// FuzzParse compares Parse with math/big's parser, which takes more: prefixes
// and underscores with base 0, but not with base 10.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"0", "-0", "+7", "00012", "", "-", "1 2", "12345678a", "١", strings.Repeat("9", 600), "-1" + zeros(577)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		x, err := decimal.Parse(text)
		v, ok := new(big.Int).SetString(text, 10)
		if (err == nil) != ok {
			t.Fatalf("Parse(%q): %v, math/big accepts: %t", text, err, ok)
		}
		if ok {
			wantBig(t, "Parse", x, v)
		}
	})
}

// FuzzArithmetic compares sums, products and roots with math/big.
func FuzzArithmetic(f *testing.F) {
	f.Add("0", "-1")
	f.Add("99999999999999999999999999999999999999", "1")
	f.Add("-"+strings.Repeat("9", 577), strings.Repeat("9", 576))
	f.Add("1"+zeros(900), strings.Repeat("123456789012", 80))
	f.Add(strings.Repeat("8", 4000), strings.Repeat("7", 3500))
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a)+len(b) > maxFuzzText {
			return
		}
		v, ok := new(big.Int).SetString(a, 10)
		w, ok2 := new(big.Int).SetString(b, 10)
		if !ok || !ok2 {
			return
		}
		ctx := context.Background()
		x, y := mustParse(t, a), mustParse(t, b)
		wantBig(t, "x + y", x.Add(y), new(big.Int).Add(v, w))
		wantBig(t, "x - y", x.Sub(y), new(big.Int).Sub(v, w))
		z, err := decimal.Mul(ctx, x, y)
		if err != nil {
			t.Fatal(err)
		}
		wantBig(t, "x * y", z, new(big.Int).Mul(v, w))
		if z, err = decimal.Sqr(ctx, x); err != nil {
			t.Fatal(err)
		}
		wantBig(t, "x²", z, new(big.Int).Mul(v, v))
		checkSqrt(t, new(decimal.Calculator), new(big.Int).Abs(v))
		checkSqrt(t, new(decimal.Calculator), new(big.Int).Mul(w, w))
	})
}

// FuzzRoot compares roots of rationals in every mode with exact comparisons.
func FuzzRoot(f *testing.F) {
	f.Add("2", "1", uint16(30), uint8(0))
	f.Add("9", "4", uint16(0), uint8(1))
	f.Add("1", "400", uint16(1), uint8(2))
	f.Add("123456789"+zeros(60), strings.Repeat("3", 70), uint16(200), uint8(3))
	f.Add("-25", "-16", uint16(2), uint8(4))
	f.Fuzz(func(t *testing.T, a, b string, digits uint16, mode uint8) {
		if len(a)+len(b) > maxFuzzText || digits > maxFuzzText {
			return
		}
		p, ok := new(big.Int).SetString(a, 10)
		q, ok2 := new(big.Int).SetString(b, 10)
		if !ok || !ok2 || q.Sign() == 0 || p.Sign()*q.Sign() < 0 {
			return
		}
		checkRoot(t, new(decimal.Calculator), p, q, int(digits), modes[int(mode)%len(modes)])
	})
}

// FuzzFibonacciMod compares with plain doubling.
func FuzzFibonacciMod(f *testing.F) {
	f.Add("0", "1")
	f.Add("-8", "1000")
	f.Add("18446744073709551616", "18446744073709551615")
	f.Add(strings.Repeat("7", 50), "1"+zeros(30))
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a)+len(b) > 400 {
			return
		}
		n, ok := new(big.Int).SetString(a, 10)
		m, ok2 := new(big.Int).SetString(b, 10)
		if !ok || !ok2 || m.Sign() <= 0 {
			return
		}
		want := fibonacciModBySteps(new(big.Int).Abs(n), m)
		if n.Sign() < 0 && n.Bit(0) == 0 {
			want.Neg(want).Mod(want, m)
		}
		got, err := decimal.FibonacciMod(context.Background(), decimal.FromBig(n), decimal.FromBig(m))
		if err != nil {
			t.Fatal(err)
		}
		wantBig(t, "F(n) mod m", got, want)
	})
}
