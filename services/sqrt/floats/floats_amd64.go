package floats

import "golang.org/x/sys/cpu"

// vectorRoots handles the first n values, as many as fill whole vectors, and reports
// whether one of them is negative.
func vectorRoots(dst, values []float64) (n int, negative bool) {
	switch n = len(values) &^ 31; {
	case n == 0:
		return 0, false
	case cpu.X86.HasAVX512F:
		return n, roots512(&dst[0], &values[0], n)
	case cpu.X86.HasAVX:
		return n, roots256(&dst[0], &values[0], n)
	default:
		return 0, false
	}
}

// roots512 sets n roots, a positive multiple of 32, with AVX-512F, and reports whether a
// value is negative.
//
//go:noescape
func roots512(dst, values *float64, n int) bool

// roots256 does the same with AVX.
//
//go:noescape
func roots256(dst, values *float64, n int) bool
