package decimal_test

import (
	"math"
	"testing"

	"github.com/seed-649d3d38/heddle/decimal"
)

// TestEstimatesGrow asks for everything that can be asked for: the answers
// must be positive and grow with the question.
func TestEstimatesGrow(t *testing.T) {
	t.Parallel()
	var before decimal.Estimate
	for _, n := range []int64{0, 1000, 100_000, 10_000_000, 1_000_000_000, 4_000_000_000, math.MaxInt64} {
		e := decimal.EstimateFibonacci(n)
		if e.Bytes < before.Bytes || e.Time < before.Time || e.Threads < before.Threads || e.Bytes <= 0 || e.Time <= 0 {
			t.Errorf("F(%d): %+v after %+v", n, e, before)
		}
		if negative := decimal.EstimateFibonacci(-n); negative != e {
			t.Errorf("F(-%d): %+v, want %+v", n, negative, e)
		}
		before = e
	}
	before = decimal.Estimate{}
	for _, digits := range []int{-1, 0, 1000, 100_000, 10_000_000, 1_000_000_000} {
		e := decimal.EstimateRoot(digits)
		if e.Bytes < before.Bytes || e.Time < before.Time || e.Threads < before.Threads || e.Bytes <= 0 || e.Time <= 0 {
			t.Errorf("root to %d digits: %+v after %+v", digits, e, before)
		}
		before = e
	}
}

// TestEstimatedThreads asks on both sides of where a second thread begins.
func TestEstimatedThreads(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]int{0: 1, 100_000: 1, 1_000_000: 2, 1_000_000_000: 2} {
		if got := decimal.EstimateFibonacci(n).Threads; got != want {
			t.Errorf("F(%d): %d threads, want %d", n, got, want)
		}
		if got := decimal.EstimateRoot(int(n)).Threads; got != want {
			t.Errorf("root to %d digits: %d threads, want %d", n, got, want)
		}
	}
}
