package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/seed-649d3d38/heddle/services/fibonacci/fib/internal/engine"
)

// sumTerm returns F(n) by adding up, the definition of the sequence.
func sumTerm(n uint64) *big.Int {
	a, b := new(big.Int), big.NewInt(1)
	for range n {
		a.Add(a, b)
		a, b = b, a
	}
	return a
}

func TestAppendTermEqualsTheDefinition(t *testing.T) {
	t.Parallel()
	a, b := new(big.Int), big.NewInt(1)
	for n := range uint64(engine.MaxSmall + 500) {
		got, err := engine.AppendTerm(t.Context(), []byte("F="), n)
		if err != nil || string(got) != "F="+a.String() {
			t.Fatalf("F(%d) = %s, %v; want %s", n, got, err, a)
		}
		if digits := engine.Digits(n); digits != len(a.String()) {
			t.Fatalf("Digits(%d) = %d, want %d", n, digits, len(a.String()))
		}
		a.Add(a, b)
		a, b = b, a
	}
}

// TestDigits compares with the published numbers of digits of F(10^k) (OEIS A068070).
func TestDigits(t *testing.T) {
	t.Parallel()
	n := uint64(1)
	for _, want := range []int{1, 2, 21, 209, 2090, 20_899, 208_988, 2_089_877, 20_898_764} {
		if got := engine.Digits(n); got != want {
			t.Errorf("Digits(%d) = %d, want %d", n, got, want)
		}
		n *= 10
	}
}

func TestCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := engine.AppendTerm(ctx, nil, engine.MaxTerm); !errors.Is(err, context.Canceled) {
		t.Errorf("AppendTerm: %d digits, %v; want context.Canceled", len(got), err)
	}
	for _, m := range []string{"10", strings.Repeat("9", 100), strings.Repeat("9", 5000)} {
		if got, err := engine.AppendModular(ctx, nil, "123", m); !errors.Is(err, context.Canceled) {
			t.Errorf("AppendModular: %s, %v; want context.Canceled", got, err)
		}
	}
}

// TestNegatedZero is about a term that the modulus divides: F(120) divides F(240), and
// F(-240) is negative, but its residue is 0 and not the modulus.
func TestNegatedZero(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ n, m string }{{"-240", sumTerm(120).String()}, {"-24", sumTerm(12).String()}, {"-8", "1"}} {
		if got, err := engine.AppendModular(t.Context(), nil, c.n, c.m); err != nil || string(got) != "0" {
			t.Errorf("F(%s) mod %s = %s, %v; want 0", c.n, c.m, got, err)
		}
	}
}

// FuzzAppendTerm compares the doublings with the definition, around the borders between
// them.
func FuzzAppendTerm(f *testing.F) {
	f.Fuzz(func(t *testing.T, n uint16) {
		got, err := engine.AppendTerm(t.Context(), nil, uint64(n))
		if want := sumTerm(uint64(n)).String(); err != nil || string(got) != want {
			t.Errorf("F(%d) = %s, %v; want %s", n, got, err, want)
		}
	})
}

// FuzzAppendModular compares with powers of the matrix (1 1; 1 0), whose entries are
// Fibonacci terms, reduced after each product.
func FuzzAppendModular(f *testing.F) {
	f.Fuzz(func(t *testing.T, n int64, nScale uint8, m uint64, mScale uint8) {
		modulus := scaled(new(big.Int).SetUint64(m), mScale)
		modulus.Add(modulus, big.NewInt(1))
		index := scaled(big.NewInt(n), nScale)
		got, err := engine.AppendModular(t.Context(), nil, index.String(), modulus.String())
		if want := matrixTerm(index, modulus).String(); err != nil || string(got) != want {
			t.Errorf("F(%s) mod %s = %s, %v; want %s", index, modulus, got, err, want)
		}
	})
}

// scaled returns v·7^exponent, so that the fuzzer reaches numbers of 230 digits.
func scaled(v *big.Int, exponent uint8) *big.Int {
	power := new(big.Int).Exp(big.NewInt(7), big.NewInt(int64(exponent)), nil)
	return power.Mul(power, v)
}

type matrix [2][2]*big.Int

func (x matrix) times(y matrix, m *big.Int) matrix {
	var z matrix
	for i := range 2 {
		for j := range 2 {
			s := new(big.Int).Mul(x[i][0], y[0][j])
			s.Add(s, new(big.Int).Mul(x[i][1], y[1][j]))
			z[i][j] = s.Mod(s, m)
		}
	}
	return z
}

// matrixTerm returns F(n) mod m. For negative n it uses the inverse matrix.
func matrixTerm(n, m *big.Int) *big.Int {
	base := matrix{{big.NewInt(1), big.NewInt(1)}, {big.NewInt(1), big.NewInt(0)}}
	if n.Sign() < 0 {
		base = matrix{{big.NewInt(0), big.NewInt(1)}, {big.NewInt(1), big.NewInt(-1)}}
	}
	power := matrix{{big.NewInt(1), big.NewInt(0)}, {big.NewInt(0), big.NewInt(1)}}
	exponent := new(big.Int).Abs(n)
	for i := exponent.BitLen() - 1; i >= 0; i-- {
		power = power.times(power, m)
		if exponent.Bit(i) == 1 {
			power = power.times(base, m)
		}
	}
	return power[0][1].Mod(power[0][1], m)
}

func BenchmarkAppendTerm(b *testing.B) {
	for _, n := range []uint64{10, 93, 94, 300, 1000, 2000, 2001, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			room := make([]byte, 0, engine.Digits(n)+20)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := engine.AppendTerm(b.Context(), room, n); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendModular(b *testing.B) {
	for _, c := range []struct{ name, n, m string }{
		{"n=18_digits/m=10_digits", "123456789012345678", "1000000007"},
		{"n=18_digits/m=20_digits", "123456789012345678", "18446744073709551615"},
		{"n=10000_digits/m=19_digits", strings.Repeat("7", 10_000), "1234567890123456789"},
		{"n=100_digits/m=100_digits", strings.Repeat("7", 100), strings.Repeat("9", 100)},
	} {
		b.Run(c.name, func(b *testing.B) {
			room := make([]byte, 0, 128)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := engine.AppendModular(b.Context(), room, c.n, c.m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
