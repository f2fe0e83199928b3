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

// BenchmarkSqrtText measures the integer root from text to text.
func BenchmarkSqrtText(b *testing.B) {
	for _, digits := range []int{1_000, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(digits), func(b *testing.B) {
			in := make([]byte, digits)
			for i := range in {
				in[i] = byte('0' + (i*7+i/10+1)%10)
			}
			in[0] = '7'
			var out []byte
			for b.Loop() {
				x, err := decimal.Parse(in)
				if err != nil {
					b.Fatal(err)
				}
				root, _, err := decimal.Sqrt(b.Context(), x)
				if err != nil {
					b.Fatal(err)
				}
				out = root.AppendDecimal(out[:0])
			}
		})
	}
}

// BenchmarkRoot2 measures the root of 2 to so many digits, with its text.
func BenchmarkRoot2(b *testing.B) {
	for _, digits := range []int{1_000, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(digits), func(b *testing.B) {
			var out []byte
			for b.Loop() {
				root, _, err := decimal.Root(b.Context(), decimal.FromInt64(2), decimal.FromInt64(1), digits, decimal.HalfEven)
				if err != nil {
					b.Fatal(err)
				}
				out = root.AppendDecimal(out[:0])
			}
		})
	}
}
