package decimal_test

import (
	"fmt"
	"testing"

	"github.com/seed-649d3d38/heddle/decimal"
)

// BenchmarkFibonacciText measures F(n) from n to text.
func BenchmarkFibonacciText(b *testing.B) {
	for _, n := range []int64{1_000, 10_000, 100_000, 1_000_000, 10_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var text []byte
			for b.Loop() {
				x, err := decimal.Fibonacci(b.Context(), n)
				if err != nil {
					b.Fatal(err)
				}
				text = x.AppendDecimal(text[:0])
			}
		})
	}
}
