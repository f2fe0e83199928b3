package root_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/decimal"
	"github.com/seed-649d3d38/heddle/services/sqrt/root"
	"github.com/seed-649d3d38/heddle/solver"
)

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
	got, err := root.SolveInteger(t.Context(), contract.IntegerRootRequest{X: contract.Integer(x.String())})
	want := new(big.Int).Sqrt(x)
	rest := new(big.Int).Sub(x, new(big.Int).Mul(want, want))
	if err != nil || string(got.Root) != want.String() || string(got.Remainder) != rest.String() {
		t.Errorf("√%s = %s, remainder %s, %v; want %s, remainder %s", x, got.Root, got.Remainder, err, want, rest)
	}
}

// FuzzRoot compares with the definition, by exact arithmetic on rational numbers: as a
// quotient and, where that says the same, as a decimal fraction.
func FuzzRoot(f *testing.F) {
	f.Fuzz(func(t *testing.T, p, q uint64, pScale, qScale, places uint8) {
		numerator, denominator := timesTen(p, pScale), timesTen(max(q, 1), qScale)
		checkRoot(t, fmt.Sprintf("%d/%d", numerator, denominator), int(places))
		checkRoot(t, new(big.Rat).SetFrac(numerator, timesTen(1, qScale)).FloatString(int(qScale)), int(places))
	})
}

// checkRoot checks all ways to round a root: that one cut off from the definition, and the
// others from that one.
func checkRoot(t *testing.T, text string, places int) {
	t.Helper()
	x, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("bad input %q", text)
	}
	unit := new(big.Rat).SetFrac(big.NewInt(1), timesTen(1, uint8(places)))
	for _, rounding := range contract.Roundings() {
		request := contract.RootRequest{X: contract.Rational(text), Digits: &places, Rounding: rounding}
		got, err := root.SolveRoot(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		v, ok := new(big.Rat).SetString(got.Value)
		if !ok || !rounded(x, v, unit, rounding, got.Value) || got.Exact != (square(v).Cmp(x) == 0) {
			t.Errorf("√%s to %d digits, %s, is %s, exact %t", text, places, rounding, got.Value, got.Exact)
		}
	}
}

func timesTen(v uint64, exponent uint8) *big.Int {
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(exponent)), nil)
	return power.Mul(power, new(big.Int).SetUint64(v))
}

// TestLongFractions is about numbers with more digits than the root has places.
func TestLongFractions(t *testing.T) {
	t.Parallel()
	zeros := strings.Repeat("0", 120)
	for _, x := range []string{
		"2." + zeros + "1", "2." + zeros, "2.25" + zeros, "2.24" + strings.Repeat("9", 121), "2.25" + zeros + "1",
		"0." + zeros + "9", "." + zeros + "25", "0.25", "0.025", "0.0000001", "1." + strings.Repeat("9", 333),
		"9/4" + zeros, "1" + zeros + "/9" + zeros, "1/1" + zeros, "7" + zeros + "1/3",
	} {
		for _, places := range []int{0, 1, 2, 59, 60, 61, 62, 120, 121} {
			checkRoot(t, x, places)
		}
	}
}

// TestModesHaveTheirNames holds the names of the contract against those of the arithmetic.
func TestModesHaveTheirNames(t *testing.T) {
	t.Parallel()
	want := []decimal.Rounding{decimal.HalfEven, decimal.HalfUp, decimal.HalfDown, decimal.Up, decimal.Down, decimal.Ceiling, decimal.Floor}
	for i, mode := range contract.Roundings() {
		if decimal.Rounding(mode) != want[i] {
			t.Errorf("%s is called %s", mode, want[i])
		}
	}
}

// TestCanceledWhileComputing cancels roots that would take a good while, with one thread
// and with two.
func TestCanceledWhileComputing(t *testing.T) {
	t.Parallel()
	for _, x := range []contract.Rational{"2", contract.Rational("2/" + strings.Repeat("7", 1000))} {
		for slots := range 3 {
			ctx, cancel := context.WithTimeout(solver.WithSlots(t.Context(), slots), 20*time.Millisecond)
			_, err := root.SolveRoot(ctx, contract.RootRequest{X: x, Digits: new(30_000_000)})
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("√%.9s with %d slots: %v, want the deadline exceeded", x, slots, err)
			}
		}
	}
}
