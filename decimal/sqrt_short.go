package decimal

import "math/bits"

// maxShortRoot is the number of root limbs up to which sqrtDigits's sums fit
// into 127 bits. It is also about where the transform becomes faster.
const maxShortRoot = 96

// sqrtDigits sets s to the leading limbs of the square root of x in base
// 10^18. x is little-endian, of an even number of limbs, and at least a
// hundredth of base^len(x), so that s[0], the most significant limb of the
// root, is at least base/10. s, at most maxShortRoot+1 long, gets the first
// limbs of the root; x is extended by zeros for that. The result is below the
// root or equal to it, by less than two units of the last limb.
//
// It is the schoolbook root, arranged by columns: if s² is written out as
// Σ c[k] with c[k] = Σ s[i]s[k-i], then limb k follows from column k of x less
// the part of c[k] that is known. With one column more looked ahead, a limb is
// never too large and at most one too small, in which case the next one is up
// to base·(1+10^-9); carries are settled at the end. So every column is summed
// up in 128 bits and divided once.
func sqrtDigits(s, x []uint64) {
	const base = 1e18
	column := func(k int) uint128 { // limb k+1 of x from the top
		if i := len(x) - 2 - k; i >= 0 {
			return uint128{0, x[i]}
		}
		return uint128{}
	}
	head := mul64(x[len(x)-1], base).add(column(0))
	s[0] = head.sqrt()
	if len(s) == 1 {
		return
	}
	double := 2 * s[0]
	// rest is column k of x less what is known of c[k].
	rest := head.sub(mul64(s[0], s[0])).times(base).add(column(1))
	s[1] = secondDigit(rest, double)
	divisor := uint128{0, double}.times(base).add(uint128{0, 2 * s[1]}).float()
	rest = rest.sub(mul64(double, s[1])).times(base).add(column(2)).sub(mul64(s[1], s[1]))
	for k := 2; k < len(s); k++ {
		// ahead is column k+1 less what is known of c[k+1] without s[1]s[k].
		high, low := squareColumn(s[2:k], k-3)
		ahead := column(k + 1).sub(uint128{high, low})
		limb := uint64(0)
		if !rest.negative() && rest.hi < double {
			q, r := bits.Div64(rest.hi, rest.lo, double)
			// The quotient ignores the column ahead: q - limb is excess/divisor.
			excess := mul64(2*s[1], q).sub(ahead).sub(mul64(r, base)).float()
			limb = q - min(q, uint64(max(0, excess/divisor+1+1e-9)))
		}
		s[k] = limb
		rest = rest.sub(mul64(double, limb)).times(base).add(ahead).sub(mul64(2*s[1], limb))
	}
	settle(s, base)
}

// secondDigit returns the second limb of the root, or one less. It is a root
// of base·rest = base·double·s + s² + …, so the square is guessed first.
func secondDigit(rest uint128, double uint64) uint64 {
	const base = 1e18
	if rest.hi >= double {
		return 0 // after a fault only
	}
	q, _ := bits.Div64(rest.hi, rest.lo, double)
	square := mul64(q, q)
	if square.hi >= base {
		return 0
	}
	guess, _ := bits.Div64(square.hi, square.lo, base)
	rest = rest.sub(uint128{0, guess + 4})
	if rest.negative() {
		return 0
	}
	q, _ = bits.Div64(rest.hi, rest.lo, double)
	return q
}

// settle carries limbs of base and more, the last limb first.
func settle(s []uint64, base uint64) {
	for k := len(s) - 1; k > 0; k-- {
		for s[k] >= base {
			s[k] -= base
			s[k-1]++
		}
	}
}
