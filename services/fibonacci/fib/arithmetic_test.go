package fib_test

import (
	"context"
	"errors"
	"math/big"
	"math/bits"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
	"github.com/seed-649d3d38/heddle/solver"
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

// bigTerm returns F(n) by doublings in binary numbers.
func bigTerm(n uint64) *big.Int {
	a, b := new(big.Int), big.NewInt(1) // F(k), F(k+1)
	for i := bits.Len64(n) - 1; i >= 0; i-- {
		c := new(big.Int).Lsh(b, 1)
		c.Sub(c, a).Mul(c, a) // F(2k) = F(k) (2 F(k+1) - F(k))
		d := new(big.Int).Mul(b, b)
		d.Add(d, a.Mul(a, a)) // F(2k+1) = F(k+1)² + F(k)²
		if n>>i&1 == 0 {
			a, b = c, d
		} else {
			a, b = d, c.Add(c, d)
		}
	}
	return a
}

// TestTermsEqualMathBig compares the digits of terms with those that math/big computes.
func TestTermsEqualMathBig(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(-150_000, 150_000).Draw(t, "n")
		want := bigTerm(uint64(max(n, -n)))
		if n < 0 && n%2 == 0 {
			want.Neg(want)
		}
		if got := solve(t, contract.TermRequest{N: contract.NewInteger(n)}).Value; string(got) != want.String() {
			t.Fatalf("F(%d) is not the one of math/big", n)
		}
	})
}

// FuzzTerm compares with the definition, across the border between the short terms and
// the others.
func FuzzTerm(f *testing.F) {
	f.Fuzz(func(t *testing.T, n uint16) {
		if got, want := term(t, int64(n)), sumTerm(uint64(n)); got.Cmp(want) != 0 {
			t.Errorf("F(%d) = %s, want %s", n, got, want)
		}
	})
}

// FuzzModulus compares with powers of the matrix (1 1; 1 0), whose entries are Fibonacci
// terms, reduced after each product.
func FuzzModulus(f *testing.F) {
	f.Fuzz(func(t *testing.T, n int64, nScale uint8, m uint64, mScale uint8) {
		modulus := scaled(new(big.Int).SetUint64(m), mScale)
		modulus.Add(modulus, big.NewInt(1))
		index := scaled(big.NewInt(n), nScale)
		got := solve(t, contract.TermRequest{N: contract.Integer(index.String()), Modulus: contract.Integer(modulus.String())})
		if want := matrixTerm(index, modulus).String(); string(got.Value) != want {
			t.Errorf("F(%s) mod %s = %s, want %s", index, modulus, got.Value, want)
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

// TestNegatedZero is about a term that the modulus divides: F(120) divides F(240), and
// F(-240) is negative, but its residue is 0 and not the modulus.
func TestNegatedZero(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ n, m string }{{"-240", sumTerm(120).String()}, {"-24", sumTerm(12).String()}, {"-8", "1"}} {
		got := solve(t, contract.TermRequest{N: contract.Integer(c.n), Modulus: contract.Integer(c.m)})
		if got.Value != "0" {
			t.Errorf("F(%s) mod %s = %s, want 0", c.n, c.m, got.Value)
		}
	}
}

// TestCanceledWhileComputing cancels requests that would take a good while, with one
// thread and with two.
func TestCanceledWhileComputing(t *testing.T) {
	t.Parallel()
	long := contract.Integer("1" + strings.Repeat("7", contract.MaxTermDigits-1))
	for _, request := range []contract.TermRequest{{N: "300000000"}, {N: long, Modulus: long}} {
		for slots := range 3 {
			ctx, cancel := context.WithTimeout(solver.WithSlots(t.Context(), slots), 20*time.Millisecond)
			_, err := fib.SolveTerm(ctx, request)
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("n of %d digits, %d slots: %v, want the deadline exceeded", request.N.Digits(), slots, err)
			}
		}
	}
}
