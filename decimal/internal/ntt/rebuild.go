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
	return c
}

// scalar is the composition in plain Go.
func (c *rebuild) scalar(z, r0, r1 []uint64, in carry) carry {
	p0, p1 := c.m0.p, c.m1.p
	r0, r1 = r0[:len(z)], r1[:len(z)]
	// A coefficient is below 2^100 and the carry below 2^64 = 2^100/2^36, so the
	// quotient by the radix is below 2^64 again.
	rest := in.low + in.high*c.radix
	for i := range z {
		v0 := fold(shoup(r0[i], c.w0, p0), p0)
		v1 := shoup(r1[i], c.w1, p1) + 2*p1 - shoup(v0, c.invP0, p1)
		v1 = fold(fold(v1, 2*p1), p1)
		hi, lo := bits.Mul64(v1, p0)
		var k uint64
		lo, k = bits.Add64(lo, v0, 0)
		hi += k
		lo, k = bits.Add64(lo, rest, 0)
		hi += k
		if hi >= c.radix { // only limbs out of range lead here; a fault must not panic
			hi %= c.radix
		}
		rest, z[i] = bits.Div64(hi, lo, c.radix)
	}
	return carry{rest % c.radix, rest / c.radix}
}
