package ntt

import (
	"math"
	"math/bits"
)

//go:generate go run ./gen

// ifma is the tier in AVX-512 IFMA assembly. All other work is that of scalar,
// whose number forms it shares.
type ifma struct{ scalar }

// pass is the argument of the butterfly functions. They work on blocks one after
// another, each of some rows of row elements, in columns columns of every row. The
// assembly knows the offsets.
type pass struct {
	data    *uint64
	row     int
	columns int
	blocks  int
	twist   [4]*factor // the factors of each level, for the first block
	seed    *uint64    // eight seeds for the first block, for ifmaLeaf only
	modulus *modulus
}

//go:noescape
func ifmaSplit2(p *pass)

//go:noescape
func ifmaSplit4(p *pass)

//go:noescape
func ifmaSplit8(p *pass)

//go:noescape
func ifmaSplit16(p *pass)

//go:noescape
func ifmaJoin2(p *pass)

//go:noescape
func ifmaJoin4(p *pass)

//go:noescape
func ifmaJoin8(p *pass)

//go:noescape
func ifmaJoin16(p *pass)

//go:noescape
func ifmaLeaf(p *pass)

//go:noescape
func ifmaUnleaf(p *pass)

//go:noescape
func ifmaTimes(dst, x, y *uint64, n int, c factor, m *modulus)

//go:noescape
func ifmaAdd(dst, x, y *uint64, n int, c factor, m *modulus)

//go:noescape
func ifmaMadd(dst, x, y *uint64, n int, c factor, m *modulus)

//go:noescape
func ifmaScale(dst, x, y *uint64, n int, c factor, m *modulus)

//go:noescape
func ifmaScaleFold(dst, x, y *uint64, n int, c factor, m *modulus)

//go:noescape
func ifmaFib(dst, x, y *uint64, n int, c factor, m *modulus)

//go:noescape
func ifmaFactors(dst *factor, w *uint64, n int, scale float64, m *modulus)

//go:noescape
func ifmaCompose(z, r0, r1 *uint64, n int, c *ifmaRebuild, s *ifmaCarry)

// forwardTwist points the pass at the factors of block j and those after it.
func (p *pass) forwardTwist(t *tables, j, levels int) {
	for l := range levels {
		p.twist[l] = &t.twist[j<<l]
	}
}

// inverseTwist does the same for the inverse, whose factors follow in backward
// order.
func (p *pass) inverseTwist(t *tables, j, levels int) {
	for l := range levels {
		if j == 0 {
			p.twist[l] = &t.mirror.twist[len(t.mirror.twist)-1<<l]
		} else {
			p.twist[l] = &t.twist[opposite(j)<<l]
		}
	}
}

func (ifma) split(t *tables, d []uint64, rows, lo, hi, j int) {
	p := pass{data: &d[lo], row: len(d) / rows, columns: hi - lo, blocks: 1, modulus: t.modulus}
	p.split(t, rows, j)
}

// split runs the forward pass of the given number of rows.
func (p *pass) split(t *tables, rows, j int) {
	p.forwardTwist(t, j, bits.TrailingZeros(uint(rows)))
	switch rows {
	case 2:
		ifmaSplit2(p)
	case 4:
		ifmaSplit4(p)
	case 8:
		ifmaSplit8(p)
	case 16:
		ifmaSplit16(p)
	}
}

func (ifma) join(t *tables, d []uint64, rows, lo, hi, j int) {
	p := pass{data: &d[lo], row: len(d) / rows, columns: hi - lo, blocks: 1, modulus: t.modulus}
	p.join(t, rows, j)
}

// join runs the inverse pass of the given number of rows.
func (p *pass) join(t *tables, rows, j int) {
	p.inverseTwist(t, j, bits.TrailingZeros(uint(rows)))
	switch rows {
	case 2:
		ifmaJoin2(p)
	case 4:
		ifmaJoin4(p)
	case 8:
		ifmaJoin8(p)
	case 16:
		ifmaJoin16(p)
	}
}

// leafPasses returns the numbers of rows of the one or two passes that divide a
// leaf of n points into blocks of 64.
func leafPasses(n int) (first, second int) {
	blocks := n / 64
	if blocks <= 16 {
		return blocks, 1
	}
	return 16, blocks / 16
}

func (ifma) leaf(t *tables, d []uint64, j int) {
	first, second := leafPasses(len(d))
	p := pass{data: &d[0], modulus: t.modulus}
	if first > 1 {
		p.row, p.columns, p.blocks = len(d)/first, len(d)/first, 1
		p.split(t, first, j)
	}
	if second > 1 {
		p.row, p.columns, p.blocks = 64, 64, first
		p.split(t, second, j*first)
	}
	p.blocks = first * second
	j *= p.blocks
	p.forwardTwist(t, j, 3)
	p.seed = &t.seed[8*j]
	ifmaLeaf(&p)
}

func (ifma) unleaf(t *tables, d []uint64, j int) {
	first, second := leafPasses(len(d))
	p := pass{data: &d[0], modulus: t.modulus, blocks: first * second}
	p.inverseTwist(t, j*p.blocks, 3)
	if j == 0 {
		p.seed = &t.mirror.seed[len(t.mirror.seed)-8]
	} else {
		p.seed = &t.seed[8*opposite(j*p.blocks)]
	}
	ifmaUnleaf(&p)
	if second > 1 {
		p.row, p.columns, p.blocks = 64, 64, first
		p.join(t, second, j*first)
	}
	if first > 1 {
		p.row, p.columns, p.blocks = len(d)/first, len(d)/first, 1
		p.join(t, first, j)
	}
}

func (k ifma) turn(m *modulus, dst, x []uint64, c factor) {
	if len(x) < 8 {
		k.scalar.turn(m, dst, x, c)
		return
	}
	ifmaScaleFold(&dst[0], &x[0], &x[0], len(x), c, m)
}

func (ifma) factors(m *modulus, dst []factor, w []uint64) {
	ifmaFactors(&dst[0], &w[0], len(w), math.Ldexp(1, 52)/float64(m.p), m)
}

func (ifma) madd(m *modulus, dst, x, y []uint64, c factor) {
	ifmaMadd(&dst[0], &x[0], &y[0], len(dst), c, m)
}

func (k ifma) loadMadd(m *modulus, dst, limbs []uint64, c factor) { k.madd(m, dst, dst, limbs, c) }

func (ifma) scale(m *modulus, dst, x []uint64, c factor) {
	ifmaScale(&dst[0], &x[0], &x[0], len(dst), c, m)
}

func (ifma) times(m *modulus, dst, a, b []uint64) {
	ifmaTimes(&dst[0], &a[0], &b[0], len(dst), factor{}, m)
}

func (ifma) square(m *modulus, dst, a []uint64) {
	ifmaTimes(&dst[0], &a[0], &a[0], len(dst), factor{}, m)
}

func (ifma) add(m *modulus, dst, a, b []uint64) {
	ifmaAdd(&dst[0], &a[0], &b[0], len(dst), factor{}, m)
}

func (ifma) fib(m *modulus, x, y []uint64) {
	ifmaFib(&x[0], &x[0], &y[0], len(x), factor{}, m)
}

// ifmaRebuild holds the constants of ifmaCompose. The assembly knows the order.
type ifmaRebuild struct {
	negP0, p0             uint64
	w0                    factor
	negP1, p1, twoP1      uint64
	w1, invP0             factor
	mask                  uint64
	squareHigh, squareLow uint64 // radix², above and below 2^52
	radix, top, one       uint64 // top is radix - 1
	two52                 float64
	invSquare, biasSquare float64
	invRadix, biasRadix   float64
}

// ifmaCarry is what one vector of ifmaCompose leaves to the next: the digits d1
// and d2, the carries, and the carry of the look-ahead.
type ifmaCarry struct {
	d1, d2, over [8]uint64
	ahead        uint64
}

// set puts a carry in front of the first position.
func (s *ifmaCarry) set(c carry) {
	*s = ifmaCarry{}
	s.d1[7], s.d2[7] = c.low, c.high
}

// carry returns what is still to be added behind the last position.
func (s *ifmaCarry) carry() carry {
	return carry{s.d1[7] + s.d2[6] + s.over[7] + s.ahead, s.d2[7]}
}

func newIFMARebuild(c *rebuild) *ifmaRebuild {
	b := float64(c.radix)
	return &ifmaRebuild{
		negP0: c.m0.negP, p0: c.m0.p, w0: c.w0,
		negP1: c.m1.negP, p1: c.m1.p, twoP1: c.m1.twoP, w1: c.w1, invP0: c.invP0,
		mask:       mask52,
		squareHigh: c.square[1]<<12 | c.square[0]>>52, squareLow: c.square[0] & mask52,
		radix: c.radix, top: c.radix - 1, one: 1,
		two52:     math.Ldexp(1, 52),
		invSquare: 1 / (b * b), biasSquare: -math.Ldexp(1, -20),
		invRadix: 1 / b, biasRadix: -math.Ldexp(1, -9),
	}
}

func (ifma) compose(c *rebuild, z, r0, r1 []uint64, in carry) carry {
	var s ifmaCarry
	s.set(in)
	k := newIFMARebuild(c)
	n := len(z) &^ 7
	if n > 0 {
		ifmaCompose(&z[0], &r0[0], &r1[0], n, k, &s)
	}
	if n == len(z) {
		return s.carry()
	}
	// The last limbs go through a padded vector, whose upper part catches the carry.
	var last, p0, p1 [8]uint64
	copy(p0[:], r0[n:len(z)])
	copy(p1[:], r1[n:len(z)])
	ifmaCompose(&last[0], &p0[0], &p1[0], 8, k, &s)
	above := append(last[copy(z[n:], last[:]):], s.carry().low)
	return carry{above[0], above[1]}
}
