// Package engine is the arithmetic behind the Fibonacci solver: digits in, digits out.
//
// It knows no requests and no error codes; the only errors it returns are those of the
// context. Which representation the numbers have inside is its own affair: decimal limbs
// on the stack for small terms, math/big for large ones.
//
//	digits, err := engine.AppendTerm(ctx, nil, 100) // "354224848179261915075"
//
// Both doublings rest on the identities
//
//	F(2k)   = F(k) (F(k) + 2 F(k-1))
//	F(2k-1) = F(k)² + F(k-1)²
//	F(2k+1) = 4 F(k)² - F(k-1)² + 2 (-1)^k
//
// (D. Knuth, The Art of Computer Programming 1, section 1.2.8, and from them and
// Cassini's identity), which double the index at each step, starting with the leading
// bits of n.
package engine

import (
	"context"
	"math"
	"strconv"
)

const (
	// MaxTerm is the largest index [AppendTerm] takes. Its term has ten million digits and
	// takes one core of 4 GHz ten seconds, three quarters of it for the radix conversion.
	MaxTerm = 50_000_000

	// MaxSmall is the largest index whose term [AppendTerm] computes within two
	// microseconds and without allocating.
	MaxSmall = 2_000

	// maxWord is the largest index whose term fits into 64 bits.
	maxWord = 93
)

// Digits returns the number of decimal digits of F(n): ⌊n log10 φ - log10 √5⌋ + 1, from
// Binet's formula. In floating point it may be off by one where F(n) is next to a power
// of ten, which for n up to [MaxTerm] has not been seen to happen.
func Digits(n uint64) int {
	if n < 2 {
		return 1
	}
	const log10Phi, log10Root5 = 0.20898764024997873376927208923755541682245923991821, 0.34948500216800940239313055263775
	return int(math.Floor(float64(n)*log10Phi-log10Root5)) + 1
}

// AppendTerm appends the decimal digits of F(n), for n up to [MaxTerm], to dst. It fails
// when ctx ends.
func AppendTerm(ctx context.Context, dst []byte, n uint64) ([]byte, error) {
	switch {
	case n <= maxWord:
		return strconv.AppendUint(dst, wordTerm(n), 10), nil
	case n <= MaxSmall:
		return appendSmall(dst, n), nil
	default:
		return appendLarge(ctx, dst, n)
	}
}

// wordTerm returns F(n) for n up to maxWord by addition.
func wordTerm(n uint64) uint64 {
	a, b := uint64(0), uint64(1)
	for range n {
		a, b = b, a+b
	}
	return a
}
