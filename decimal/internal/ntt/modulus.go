package ntt

import "math/bits"

// The two primes. Both are k·2^34 + 1, so that roots of unity exist for every
// transform up to 2^34 points, and both are just below 2^50, so that four times
// a residue still fits the 52-bit multiplier of AVX-512 IFMA. They are the two
// largest such primes with k < 2^16.
const (
	prime0 = 65520<<34 + 1
	prime1 = 65512<<34 + 1
)

// maxLog is the base-2 logarithm of the longest transform.
const maxLog = 34

// mask52 selects the 52 bits that one IFMA multiplication works on.
const mask52 = 1<<52 - 1

// modulus is a prime with the constants that the butterflies need. The fields up
// to floats are read by the assembly in this order.
type modulus struct {
	twoP   uint64    // 2p
	negP   uint64    // 2^52 - p
	mask   uint64    // 2^52 - 1
	p      uint64    // the prime
	inv    uint64    // 1/p modulo 2^52
	step   [3]factor // W[1], W[2], W[3]: see tables.go
	floats floats
	toMont uint64 // 2^52 mod p: multiplying by it gives Montgomery form
	root   [maxLog + 1]uint64
}

// floats holds constants for the tier that calculates in doubles, the first three in
// four copies.
type floats struct {
	p, inv, magic [4]float64 // the prime, 1/p, 2^52
	step          [3]float64
}

// newModulus returns the constants of the prime p, of which generator is a
// quadratic non-residue.
func newModulus(p, generator uint64) *modulus {
	m := &modulus{twoP: 2 * p, negP: 1<<52 - p, mask: mask52, p: p, toMont: (1 << 52) % p}
	inv := p
	for range 5 { // Newton: the number of right bits doubles from 3
		inv *= 2 - p*inv
	}
	m.inv = inv & mask52
	m.root[maxLog] = m.pow(generator, (p-1)>>maxLog)
	for k := maxLog - 1; k >= 0; k-- {
		m.root[k] = m.mul(m.root[k+1], m.root[k+1])
	}
	m.step = [3]factor{m.factor(m.root[2]), m.factor(m.root[3]), m.factor(m.mul(m.root[2], m.root[3]))}
	for i := range 4 {
		m.floats.p[i], m.floats.inv[i], m.floats.magic[i] = float64(p), 1/float64(p), 1<<52
	}
	for i, w := range m.step {
		m.floats.step[i] = m.centred(w.w)
	}
	return m
}

// mul returns a·b mod p for a·b < p·2^64.
func (m *modulus) mul(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	_, rem := bits.Div64(hi, lo, m.p)
	return rem
}

// pow returns a^e mod p.
func (m *modulus) pow(a, e uint64) uint64 {
	r := uint64(1)
	for ; e > 0; e >>= 1 {
		if e&1 == 1 {
			r = m.mul(r, a)
		}
		a = m.mul(a, a)
	}
	return r
}

// invert returns 1/a mod p.
func (m *modulus) invert(a uint64) uint64 { return m.pow(a, m.p-2) }

// neg returns -a mod p for a < p.
func (m *modulus) neg(a uint64) uint64 {
	if a == 0 {
		return 0
	}
	return m.p - a
}

// centred returns the residue of w < p that is closest to zero.
func (m *modulus) centred(w uint64) float64 {
	if w > m.p/2 {
		return -float64(m.p - w)
	}
	return float64(w)
}

// factor is a constant multiplier together with its Shoup quotient
// floor(w·2^52/p), which turns a modular product into three plain ones.
type factor struct{ w, quot uint64 }

// factor returns the multiplier of w < p.
func (m *modulus) factor(w uint64) factor {
	quot, _ := bits.Div64(w>>12, w<<52, m.p)
	return factor{w, quot}
}
