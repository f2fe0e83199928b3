package ntt

import "math/bits"

// rebuild holds the constants that turn two residues into a coefficient, for
// one length of transform, one number of factors and one radix.
//
// With v0 = r0·w0 mod p0 and v1 = (r1·w1 - v0/p0) mod p1 the coefficient is
// v0 + p0·v1 (Garner), where w0 and w1 undo the factor left by the transform and
// the Montgomery product, and w1 contains 1/p0 as well.
type rebuild struct {
	m0, m1 *modulus
	w0, w1 factor
	invP0  factor // 1/p0 mod p1
	radix  uint64
	square [2]uint64 // radix², low word first
	high   uint64    // floor(2^100/radix)
	low    uint64    // floor(2^(63+bits)/radix), where bits is the length of the radix
	shift  int       // bits - 1
}

// newRebuild returns the constants for residues that are too large by the factor
// points, and too small by units of the kernel to the power of divisions.
func newRebuild(m0, m1 *modulus, k kernel, points, divisions int, radix uint64) *rebuild {
	c := &rebuild{m0: m0, m1: m1, radix: radix}
	undo := func(m *modulus) uint64 {
		return m.mul(m.invert(uint64(points)%m.p), m.pow(k.unit(m), uint64(divisions)))
	}
	inv := m1.invert(m0.p % m1.p)
	c.w0 = m0.factor(undo(m0))
	c.w1 = m1.factor(m1.mul(undo(m1), inv))
	c.invP0 = m1.factor(inv)
	c.square[1], c.square[0] = bits.Mul64(radix, radix)
	c.high, _ = bits.Div64(1<<36, 0, radix)
	c.shift = bits.Len64(radix) - 1
	c.low, _ = bits.Div64(1<<c.shift, 0, radix)
	return c
}

// scalar is the composition in plain Go. The division of a coefficient v by the
// radix B is done ahead of the carry, which so has a short way to the next limb:
//
//   - q = floor(floor(v/2^36)·high/2^64) is less than 3 below v/B, as each of the
//     three truncations takes off less than 1. So v - q·B, known modulo 2^64, is below
//     3B.
//   - The carry is below v/B + 4 < 2^64 - 4B, so adding the remainder does not
//     overflow; and floor(sum·low/2^(64+shift)) is less than 2 below sum/B.
func (c *rebuild) scalar(z, r0, r1 []uint64, in carry) carry {
	p0, p1 := c.m0.p, c.m1.p
	r0, r1 = r0[:len(z)], r1[:len(z)]
	rest := in.low + in.high*c.radix
	for i := range z {
		v0 := fold(shoup(r0[i], c.w0, p0), p0)
		v1 := shoup(r1[i], c.w1, p1) + 2*p1 - shoup(v0, c.invP0, p1)
		v1 = fold(fold(v1, 2*p1), p1)
		hi, lo := bits.Mul64(v1, p0)
		lo, k := bits.Add64(lo, v0, 0)
		q, _ := bits.Mul64((hi+k)<<28|lo>>36, c.high)
		sum := lo - q*c.radix + rest
		t, _ := bits.Mul64(sum, c.low)
		t >>= c.shift & 63
		digit := sum - t*c.radix
		if digit >= c.radix {
			digit -= c.radix
			t++
		}
		z[i] = digit
		rest = q + t
	}
	return carry{rest % c.radix, rest / c.radix}
}
