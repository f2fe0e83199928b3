package floats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func TestRoots(t *testing.T) {
	t.Parallel()
	check(t, Roots, 0, 1, 31, 32, 33, 63, 64, 100, 1000)
}

// check compares roots with those of package math, bit by bit, for values of all kinds,
// and puts a negative one at each place in turn.
func check(t *testing.T, roots func(dst, values []float64) bool, lengths ...int) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	special := []float64{0, math.Copysign(0, -1), math.Inf(1), math.NaN(), math.SmallestNonzeroFloat64, math.MaxFloat64}
	for _, n := range lengths {
		for at := -1; at < n; at++ { // -1: nowhere
			values := make([]float64, n)
			for i := range values {
				values[i] = math.Abs(math.Float64frombits(random.Uint64()))
				if random.IntN(8) == 0 {
					values[i] = special[random.IntN(len(special))]
				}
			}
			if at >= 0 {
				values[at] = []float64{-1, math.Inf(-1), -math.SmallestNonzeroFloat64}[random.IntN(3)]
			}
			dst := make([]float64, n)
			if got := roots(dst, values); got != (at >= 0) {
				t.Fatalf("%d values, negative at %d: reported %t", n, at, got)
			}
			for i, v := range values {
				want := math.Sqrt(v)
				if same := math.Float64bits(dst[i]) == math.Float64bits(want); !same && !(math.IsNaN(dst[i]) && math.IsNaN(want)) {
					t.Fatalf("%d values: the root of %g is %g, want %g", n, v, dst[i], want)
				}
			}
		}
	}
}

// TestRootsInPlace gives one slice for both, and one that is too short.
func TestRootsInPlace(t *testing.T) {
	t.Parallel()
	values := make([]float64, 70)
	for i := range values {
		values[i] = float64(i * i)
	}
	Roots(values, values)
	for i, v := range values {
		if v != float64(i) {
			t.Errorf("the root of %d² is %g", i, v)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a result that is too short is no panic")
		}
	}()
	Roots(make([]float64, 1), values)
}

func BenchmarkRoots(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			values, dst := make([]float64, n), make([]float64, n)
			for i := range values {
				values[i] = float64(i) + 0.5
			}
			for b.Loop() {
				Roots(dst, values)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/value")
		})
	}
}
