// Package short computes short Fibonacci terms as text, without allocating.
//
// It exists because most requests are for small terms, and because package decimal, which
// does all others, takes up to ten times as long for those: it makes a number first, and
// checks it. Here digits are the limbs of numbers on the stack, and a test compares every
// term there is with its definition.
//
//	digits := short.AppendTerm(nil, 100) // "354224848179261915075"
package short

import (
	"math/bits"
	"strconv"
)

const (
	// MaxTerm is the largest index that [AppendTerm] takes. Up to there it is no slower
	// than package decimal (BenchmarkAppendTerm: 0.7 microseconds each at the end).
	MaxTerm = 1_000

	// maxWord is the largest index whose term fits into 64 bits.
	maxWord = 93
)

// AppendTerm appends the digits of F(n), for n up to [MaxTerm], to dst.
func AppendTerm(dst []byte, n uint64) []byte {
	if n <= maxWord {
		return strconv.AppendUint(dst, wordTerm(n), 10)
	}
	// The leading bits of n, as many as make an index up to maxWord, take one addition each
	// unit; every bit after them takes a doubling:
	//
	//	F(2k)   = F(k) (F(k) + 2 F(k-1))
	//	F(2k-1) = F(k)² + F(k-1)²
	//
	// (D. Knuth, The Art of Computer Programming 1, section 1.2.8).
	rest := bits.Len64(n) - 6
	k := n >> rest
	var a, b, sum, next number // a = F(k), b = F(k-1)
	a.set(wordTerm(k))
	b.set(wordTerm(k - 1))
	for ; rest > 1; rest-- {
		sum.add(&b, &b)
		sum.add(&sum, &a)
		next.mul(&a, &sum)     // F(2k)
		sum.addSquares(&a, &b) // F(2k-1)
		if n>>(rest-1)&1 == 1 {
			a.add(&next, &sum)
			b = next
		} else {
			a, b = next, sum
		}
	}
	sum.add(&b, &a) // F(k+1)
	if n&1 == 1 {   // F(2k+1) = F(k+1)² + F(k)²
		next.addSquares(&sum, &a)
	} else {
		sum.add(&sum, &b)
		next.mul(&a, &sum)
	}
	return next.append(dst)
}

// wordTerm returns F(n) for n up to maxWord by addition.
func wordTerm(n uint64) uint64 {
	a, b := uint64(0), uint64(1)
	for range n {
		a, b = b, a+b
	}
	return a
}
