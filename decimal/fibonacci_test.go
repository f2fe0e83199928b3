package decimal_test

import (
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"testing"

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
