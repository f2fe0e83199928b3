// Package floats computes the square roots of many floating-point numbers at the speed
// of the machine's vector unit. It is no vector library: roots are all it knows.
//
//	roots := make([]float64, len(values))
//	if floats.Roots(roots, values) {
//		// some values are negative; their roots are NaN
//	}
package floats

import "math"

// Roots sets each dst[i] to the IEEE 754 square root of values[i]: the double nearest to
// the root, -0 for -0, NaN for a negative number or NaN. It reports whether a value is
// negative. dst must be at least as long as values, and may be values; otherwise they must
// not overlap. It panics if dst is shorter.
func Roots(dst, values []float64) (negative bool) {
	dst = dst[:len(values)]
	n, negative := vectorRoots(dst, values)
	dst = dst[n:]
	for i, v := range values[n:] {
		negative = negative || v < 0
		dst[i] = math.Sqrt(v)
	}
	return negative
}
