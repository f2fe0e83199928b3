package ntt_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/seed-649d3d38/heddle/decimal/internal/ntt"
)

// The benchmarks report nanoseconds per point of the transform and per prime, on
// one thread, so that sizes and tiers compare.

var benchLimbs = []int{256, 1024, 4096, 1 << 14, 1 << 16, 1 << 18, 1 << 20}

func eachTier(b *testing.B, fn func(b *testing.B, p *ntt.Plan, x []uint64)) {
	for _, e := range engines(b) {
		for _, n := range benchLimbs {
			b.Run(fmt.Sprintf("%s/%d", e.Tier(), n), func(b *testing.B) {
				p := mustPlan(b, e, ntt.Shape{Limbs: n, Radix: ntt.Radix12, Threads: 1})
				fn(b, p, random(rand.New(rand.NewPCG(1, 1)), n/2, ntt.Radix12, false))
				perPoint := float64(b.Elapsed().Nanoseconds()) / float64(b.N) / float64(p.Points())
				b.ReportMetric(perPoint/2, "ns/point")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

func must(b *testing.B, err error) {
	if err != nil {
		b.Fatal(err)
	}
}

// warm runs an operation once, so that tables are built and memory is touched, and
// then for the benchmark.
func warm(b *testing.B, operation func() error) {
	must(b, operation())
	for b.Loop() {
		must(b, operation())
	}
}

func BenchmarkForward(b *testing.B) {
	eachTier(b, func(b *testing.B, p *ntt.Plan, x []uint64) {
		v := p.NewVector()
		defer v.Release()
		warm(b, func() error { return p.Forward(context.Background(), v, x) })
	})
}

// BenchmarkInverse includes the composition of limbs.
func BenchmarkInverse(b *testing.B) {
	eachTier(b, func(b *testing.B, p *ntt.Plan, x []uint64) {
		v, z := p.NewVector(), make([]uint64, p.Points())
		defer v.Release()
		for b.Loop() {
			b.StopTimer()
			must(b, p.Forward(context.Background(), v, x))
			must(b, p.Sqr(context.Background(), v, v))
			b.StartTimer()
			must(b, p.Inverse(context.Background(), z, v))
		}
	})
}

// BenchmarkSquare is a whole product of one operand.
func BenchmarkSquare(b *testing.B) {
	eachTier(b, func(b *testing.B, p *ntt.Plan, x []uint64) {
		z := make([]uint64, 2*len(x))
		warm(b, func() error { return p.Square(context.Background(), z, x) })
	})
}

// BenchmarkProduct is a whole product of two operands.
func BenchmarkProduct(b *testing.B) {
	eachTier(b, func(b *testing.B, p *ntt.Plan, x []uint64) {
		z := make([]uint64, 2*len(x))
		y := random(rand.New(rand.NewPCG(2, 2)), len(x), ntt.Radix12, false)
		warm(b, func() error { return p.Product(context.Background(), z, x, y) })
	})
}

// BenchmarkTables is a fresh engine and its tables for one size.
func BenchmarkTables(b *testing.B) {
	for _, tier := range ntt.Tiers() {
		for _, n := range benchLimbs[2:] {
			b.Run(fmt.Sprintf("%s/%d", tier, n), func(b *testing.B) {
				for b.Loop() {
					e, err := ntt.New(tier)
					must(b, err)
					must(b, e.Prepare(context.Background(), n))
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n)/2, "ns/point")
			})
		}
	}
}
