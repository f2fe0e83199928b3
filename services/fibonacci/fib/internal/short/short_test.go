package short_test

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/seed-649d3d38/heddle/decimal"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib/internal/short"
)

// TestAppendTerm compares every term there is with the definition of the sequence.
func TestAppendTerm(t *testing.T) {
	t.Parallel()
	a, b := new(big.Int), big.NewInt(1)
	for n := range uint64(short.MaxTerm + 1) {
		if got := short.AppendTerm([]byte("F="), n); string(got) != "F="+a.String() {
			t.Fatalf("F(%d) = %s, want %s", n, got, a)
		}
		a.Add(a, b)
		a, b = b, a
	}
}

// BenchmarkAppendTerm compares with package decimal, which does the terms above MaxTerm.
func BenchmarkAppendTerm(b *testing.B) {
	room := make([]byte, 0, 512)
	for _, n := range []uint64{10, 93, 94, 300, 700, short.MaxTerm} {
		b.Run(fmt.Sprintf("%d/short", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				short.AppendTerm(room, n)
			}
		})
		b.Run(fmt.Sprintf("%d/decimal", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x, err := decimal.Fibonacci(b.Context(), int64(n))
				if err != nil {
					b.Fatal(err)
				}
				x.AppendDecimal(room)
			}
		})
	}
}
