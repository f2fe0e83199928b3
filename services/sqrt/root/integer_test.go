package root_test

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/sqrt/root"
)

// TestIntegerRoot checks r² ≤ x < (r+1)² and x = r² + remainder.
func TestIntegerRoot(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 5000).Draw(t, "digits")
		pattern := rapid.StringMatching(`[1-9][0-9]{0,30}`).Draw(t, "pattern")
		x := new(big.Int)
		x.SetString(strings.Repeat(pattern, size/len(pattern)+1)[:size], 10)
		if rapid.Bool().Draw(t, "next to a square") {
			x.Mul(x, x)
			x.Add(x, big.NewInt(rapid.Int64Range(-1, 1).Draw(t, "distance")))
		}
		request := contract.IntegerRootRequest{X: contract.Integer(x.String())}
		if err := request.Validate(); err != nil {
			t.Fatal(err)
		}
		result, err := root.SolveInteger(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		r, remainder := result.Root.Big(), result.Remainder.Big()
		square := new(big.Int).Mul(r, r)
		next := new(big.Int).Add(r, big.NewInt(1))
		if square.Cmp(x) > 0 || next.Mul(next, next).Cmp(x) <= 0 {
			t.Fatalf("the root of %s is %s", x, r)
		}
		if square.Add(square, remainder).Cmp(x) != 0 {
			t.Fatalf("the root of %s is %s, remainder %s", x, r, remainder)
		}
	})
}

func TestEstimatedIntegerRoots(t *testing.T) {
	t.Parallel()
	const slack = 40
	op := operation(t, "integer")
	for _, digits := range []int{1, 2, 99, 100, 101, 4999, 5000} {
		request := contract.IntegerRootRequest{X: contract.Integer(strings.Repeat("9", digits))}
		result, err := root.SolveInteger(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		cost, size := op.Estimate(&request), int64(len(encode(t, result)))
		if cost.Result < size || cost.Result > size+slack {
			t.Errorf("%d digits: estimated result of %d bytes, has %d", digits, cost.Result, size)
		}
		if cost.Light != (digits <= 100) || cost.Memory < int64(digits) {
			t.Errorf("%d digits: light %t, memory %d", digits, cost.Light, cost.Memory)
		}
	}
}

func BenchmarkSolveInteger(b *testing.B) {
	request := contract.IntegerRootRequest{X: "1000000000000000000000"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := root.SolveInteger(b.Context(), request); err != nil {
			b.Fatal(err)
		}
	}
}
