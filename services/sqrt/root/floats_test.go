package root_test

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/sqrt/root"
)

// TestFloatRootsAreTheNearest checks each root against its exact value: the root lies
// between the midpoints to the doubles beside it.
func TestFloatRootsAreTheNearest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, math.MaxFloat64), 0, 20).Draw(t, "values")
		result, err := root.SolveFloats(t.Context(), contract.FloatsRequest{Values: values})
		if err != nil || len(result.Roots) != len(values) || len(result.Errors) > 0 {
			t.Fatalf("%d values have %d roots and the errors %v, %v", len(values), len(result.Roots), result.Errors, err)
		}
		for i, v := range values {
			r := result.Roots[i]
			x := new(big.Rat).SetFloat64(v)
			upper := middle(r, math.Nextafter(r, math.Inf(1)))
			lower := middle(math.Nextafter(r, 0), r)
			if v == 0 && r != 0 || x.Cmp(square(upper)) > 0 || x.Cmp(square(lower)) < 0 {
				t.Fatalf("the root of %g is %g", v, r)
			}
		}
	})
}

func middle(a, b float64) *big.Rat {
	s := new(big.Rat).SetFloat64(a)
	s.Add(s, new(big.Rat).SetFloat64(b))
	return s.Mul(s, big.NewRat(1, 2))
}

// TestFloatsWithoutRoots checks that a negative value has its own error and does not touch
// the others.
func TestFloatsWithoutRoots(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64(), 0, 50).Draw(t, "values")
		values = slices.DeleteFunc(values, math.IsNaN)
		values = slices.DeleteFunc(values, func(v float64) bool { return math.IsInf(v, 0) })
		result, err := root.SolveFloats(t.Context(), contract.FloatsRequest{Values: values})
		if err != nil {
			t.Fatal(err)
		}
		var want []contract.ItemError
		for i, v := range values {
			if v < 0 {
				want = append(want, contract.NoRoot(i))
			}
			if math.IsNaN(result.Roots[i]) != (v < 0) {
				t.Fatalf("value %d, %g, has the root %g", i, v, result.Roots[i])
			}
		}
		if !slices.Equal(result.Errors, want) {
			t.Fatalf("%v: errors %v, want %v", values, result.Errors, want)
		}
	})
}

func TestNegativeZeroKeepsItsSign(t *testing.T) {
	t.Parallel()
	result, err := root.SolveFloats(t.Context(), contract.FloatsRequest{Values: contract.Floats{math.Copysign(0, -1), 0}})
	if err != nil || !math.Signbit(result.Roots[0]) || math.Signbit(result.Roots[1]) || len(result.Errors) > 0 {
		t.Errorf("roots of -0 and 0: %v, errors %v, %v", result.Roots, result.Errors, err)
	}
}

func TestEstimatedFloats(t *testing.T) {
	t.Parallel()
	op := operation(t, "floats")
	for n, light := range map[int]bool{0: true, 64: true, 65: false, contract.MaxFloats: false} {
		cost := op.Estimate(&contract.FloatsRequest{Values: make(contract.Floats, n)})
		if cost.Light != light || cost.Memory < int64(8*n) {
			t.Errorf("%d values: light %t, memory %d; want light %t", n, cost.Light, cost.Memory, light)
		}
	}
}

func BenchmarkSolveFloats(b *testing.B) {
	request := contract.FloatsRequest{Values: make(contract.Floats, 10_000)}
	for i := range request.Values {
		request.Values[i] = float64(i) * 1.7
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := root.SolveFloats(b.Context(), request); err != nil {
			b.Fatal(err)
		}
	}
}
