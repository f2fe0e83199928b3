package root_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/sqrt/root"
)

// TestRootOfTwo compares with hashes of the digits of another program, without point and
// cut off.
func TestRootOfTwo(t *testing.T) {
	t.Parallel()
	for digits, want := range map[int]string{
		1000:      "fdff9834807cf632afd3f791c8debfe3b49a4c076491affd515655bca44832a4",
		10_000:    "8f6eac26201657dab5aafdf9b5d877d0e9fd998b12393b69ccf710e98e9c3752",
		100_000:   "dc5669f3c231d8a89289cdd4c49a67f1cf63426b8e02eb35e3251182cb1be39e",
		1_000_000: "e1fbbd14d50d3f17d3a8ac073187d793f8ced39b0a836bf60578fa2d821ec2b3",
	} {
		result, err := root.SolveRoot(t.Context(), contract.RootRequest{X: "2", Digits: new(digits), Rounding: contract.RoundDown})
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256([]byte(strings.Replace(result.Value, ".", "", 1)))
		if got := hex.EncodeToString(sum[:]); got != want || result.Exact {
			t.Errorf("√2 to %d digits: SHA-256 %s, exact %t; want %s", digits, got, result.Exact, want)
		}
	}
}

func TestRounding(t *testing.T) {
	t.Parallel()
	type wants map[contract.Rounding]string
	all := func(value string) wants {
		w := wants{"": value}
		for _, r := range contract.Roundings() {
			w[r] = value
		}
		return w
	}
	for _, c := range []struct {
		x      contract.Rational
		digits int
		exact  bool
		want   wants
	}{
		{"9/4", 1, true, all("1.5")},
		{"9/4", 0, false, wants{ // a tie, 1.5
			"": "2", "half_even": "2", "half_up": "2", "half_down": "1", "up": "2", "down": "1", "ceiling": "2", "floor": "1",
		}},
		{"6.25", 0, false, wants{ // a tie, 2.5
			"": "2", "half_even": "2", "half_up": "3", "half_down": "2", "up": "3", "down": "2", "ceiling": "3", "floor": "2",
		}},
		{"0.0025", 1, false, wants{ // a tie, 0.05
			"": "0.0", "half_even": "0.0", "half_up": "0.1", "half_down": "0.0", "up": "0.1", "down": "0.0", "ceiling": "0.1", "floor": "0.0",
		}},
		{"90.25", 0, false, wants{ // a tie, 9.5, with a carry
			"": "10", "half_even": "10", "half_up": "10", "half_down": "9", "up": "10", "down": "9", "ceiling": "10", "floor": "9",
		}},
		{"6.2500000001", 0, false, wants{ // above the tie
			"": "3", "half_even": "3", "half_up": "3", "half_down": "3", "up": "3", "down": "2", "ceiling": "3", "floor": "2",
		}},
		{"6.2499999999", 0, false, wants{ // below the tie
			"": "2", "half_even": "2", "half_up": "2", "half_down": "2", "up": "3", "down": "2", "ceiling": "3", "floor": "2",
		}},
		{"1/100000000000000000000", 3, false, wants{
			"": "0.000", "half_even": "0.000", "half_up": "0.000", "half_down": "0.000", "up": "0.001", "down": "0.000", "ceiling": "0.001", "floor": "0.000",
		}},
	} {
		for rounding, want := range c.want {
			got, err := root.SolveRoot(t.Context(), contract.RootRequest{X: c.x, Digits: new(c.digits), Rounding: rounding})
			if err != nil || got.Value != want || got.Exact != c.exact {
				t.Errorf("√%s to %d digits, %q: %s, exact %t, %v; want %s, exact %t",
					c.x, c.digits, rounding, got.Value, got.Exact, err, want, c.exact)
			}
		}
	}
}

// TestRoundingExactly compares each mode with its definition, by exact arithmetic on
// rational numbers. Half of the numbers are squares, ties, or right beside one.
func TestRoundingExactly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.IntRange(0, 30).Draw(t, "digits")
		unit := new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil))
		x := drawNumber(t, unit)
		rounding := rapid.SampledFrom(contract.Roundings()).Draw(t, "rounding")
		request := contract.RootRequest{X: contract.Rational(x.String()), Digits: &digits, Rounding: rounding}
		if err := request.Validate(); err != nil {
			t.Fatal(err)
		}
		result, err := root.SolveRoot(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		whole, fraction, point := strings.Cut(result.Value, ".")
		if whole == "" || len(whole) > 1 && whole[0] == '0' || len(fraction) != digits || point != (digits > 0) {
			t.Fatalf("√%s to %d digits is written %q", x, digits, result.Value)
		}
		v, ok := new(big.Rat).SetString(result.Value)
		if !ok {
			t.Fatalf("√%s to %d digits is written %q", x, digits, result.Value)
		}
		if exact := square(v).Cmp(x) == 0; exact != result.Exact {
			t.Fatalf("√%s to %d digits is %s: exact %t, want %t", x, digits, result.Value, result.Exact, exact)
		}
		if !rounded(x, v, unit, rounding, result.Value) {
			t.Fatalf("√%s to %d digits, %s, is %s", x, digits, rounding, result.Value)
		}
	})
}

// drawNumber draws a number whose root is interesting in the unit: any, or one whose root
// is a multiple of half the unit, or one next to that.
func drawNumber(t *rapid.T, unit *big.Rat) *big.Rat {
	natural := rapid.StringMatching(`[0-9]{1,25}`)
	p, _ := new(big.Rat).SetString(natural.Draw(t, "p"))
	if rapid.Bool().Draw(t, "any number") {
		q, _ := new(big.Rat).SetString("1" + natural.Draw(t, "q"))
		return p.Quo(p, q)
	}
	x := square(p.Mul(p, new(big.Rat).Mul(unit, big.NewRat(1, 2))))
	step := new(big.Rat).Mul(unit, big.NewRat(1, 1_000_003))
	x.Add(x, square(step).Mul(square(step), big.NewRat(rapid.Int64Range(-1, 1).Draw(t, "beside"), 1)))
	return x.Abs(x)
}

// rounded reports whether v is the root of x rounded to a multiple of the unit.
func rounded(x, v, unit *big.Rat, rounding contract.Rounding, text string) bool {
	below, above := new(big.Rat).Sub(v, unit), new(big.Rat).Add(v, unit)
	half := new(big.Rat).Mul(unit, big.NewRat(1, 2))
	lower, upper := new(big.Rat).Sub(v, half), new(big.Rat).Add(v, half)
	// Where x lies beside the squares of the ends: -1 is within, 0 at the end.
	fromBelow, fromAbove := -1, x.Cmp(square(upper))
	if lower.Sign() >= 0 {
		fromBelow = square(lower).Cmp(x)
	}
	switch rounding {
	case contract.RoundDown, contract.RoundFloor:
		return square(v).Cmp(x) <= 0 && x.Cmp(square(above)) < 0
	case contract.RoundUp, contract.RoundCeiling:
		return square(v).Cmp(x) >= 0 && (below.Sign() < 0 || x.Cmp(square(below)) > 0)
	case contract.RoundHalfUp:
		return fromBelow <= 0 && fromAbove < 0
	case contract.RoundHalfDown:
		return fromBelow < 0 && fromAbove <= 0
	default:
		tie := fromBelow == 0 || fromAbove == 0
		even := strings.ContainsAny(text[len(text)-1:], "02468")
		return fromBelow <= 0 && fromAbove <= 0 && (!tie || even)
	}
}

func square(x *big.Rat) *big.Rat { return new(big.Rat).Mul(x, x) }

func TestFormsOfANumber(t *testing.T) {
	t.Parallel()
	for _, forms := range [][]contract.Rational{
		{"2.25", "9/4", "+9/4", "009/004", "+002.2500", "225/100", "18/8"},
		{"2", "2.", "2.0", "+2", "2/1", "4/2", "2000/1000"},
		{"0.5", ".5", "1/2", "5/10", "00.50"},
		{"0", "0.0", "-0", "-0.00", "0/7", "-0/7", ".0", "0."},
	} {
		for _, digits := range []int{0, 1, 40} {
			var want contract.RootResult
			for i, x := range forms {
				request := contract.RootRequest{X: x, Digits: new(digits)}
				if err := request.Validate(); err != nil {
					t.Fatalf("%s: %v", x, err)
				}
				got, err := root.SolveRoot(t.Context(), request)
				if err != nil {
					t.Fatalf("√%s: %v", x, err)
				}
				if i == 0 {
					want = got
				}
				if got != want {
					t.Errorf("√%s to %d digits is %v, but √%s is %v", x, digits, got, forms[0], want)
				}
			}
		}
	}
}

// TestEstimatedResults compares the estimated with the true sizes.
func TestEstimatedResults(t *testing.T) {
	t.Parallel()
	const slack = 40
	op := operation(t, "root")
	nines := strings.Repeat("9", 1000)
	for _, request := range []contract.RootRequest{
		{X: "2"}, {X: "0", Digits: new(0)}, {X: "4", Digits: new(1)}, {X: "99.999", Digits: new(0)},
		{X: "0.00001", Digits: new(2)}, {X: "2", Digits: new(5000)},
		{X: contract.Rational(nines), Digits: new(0)}, {X: contract.Rational("0000" + nines + ".5"), Digits: new(10)},
		{X: contract.Rational(nines + "/7")}, {X: contract.Rational(nines + "/0000" + nines[1:])}, {X: contract.Rational("1/" + nines)},
	} {
		result, err := root.SolveRoot(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		size := int64(len(encode(t, result)))
		cost := op.Estimate(&request)
		if !cost.Light { // its result is left as a number
			if cost.Result != 0 || cost.Memory < size {
				t.Errorf("√%.12s: estimated result of %d bytes, want none, and memory of %d", request.X, cost.Result, cost.Memory)
			}
			continue
		}
		if cost.Result < size || cost.Result > size+slack {
			t.Errorf("√%.12s: estimated result of %d bytes, has %d", request.X, cost.Result, size)
		}
	}
}

func TestLightRoots(t *testing.T) {
	t.Parallel()
	op := operation(t, "root")
	for _, c := range []struct {
		request contract.RootRequest
		light   bool
	}{
		{contract.RootRequest{X: "2"}, true},
		{contract.RootRequest{X: "22/7", Digits: new(100)}, true},
		{contract.RootRequest{X: "2", Digits: new(200)}, false},
		{contract.RootRequest{X: contract.Rational(strings.Repeat("7", 400)), Digits: new(0)}, false},
		{contract.RootRequest{X: "2", Digits: new(root.MaxDigits)}, false},
		{contract.RootRequest{X: "2", Digits: new(root.MaxDigits + 1)}, true}, // refused at once
	} {
		cost := op.Estimate(&c.request)
		if cost.Light != c.light {
			t.Errorf("√%.9s to %d digits: light is %t, want %t", c.request.X, digitsOf(c.request), cost.Light, c.light)
		}
		if !c.light && cost.Memory < int64(2*digitsOf(c.request)) {
			t.Errorf("√%.9s to %d digits: estimated memory of %d bytes", c.request.X, digitsOf(c.request), cost.Memory)
		}
	}
}

func digitsOf(r contract.RootRequest) int {
	if r.Digits == nil {
		return contract.DefaultRootDigits
	}
	return *r.Digits
}

func BenchmarkSolveRoot(b *testing.B) {
	for _, digits := range []int{0, 20, 100, 1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(digits), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := root.SolveRoot(b.Context(), contract.RootRequest{X: "2", Digits: &digits}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
