package ntt

import "math/bits"

// scalar is the tier in plain Go. It uses the number forms of the IFMA tier,
// 52-bit quotients included: shifting one operand left by 12 puts the upper half
// of a 52-bit product into the upper word of a 64-bit one.
type scalar struct{}

// shoup returns x·w mod p in [0, 2p), for any x < 2^52.
func shoup(x uint64, w factor, p uint64) uint64 {
	q, _ := bits.Mul64(x<<12, w.quot)
	return x*w.w - q*p
}

// montgomery returns x·w/2^52 mod p in (0, 2p), for x·w < p·2^52.
func montgomery(x, w uint64, m *modulus) uint64 {
	hi, lo := bits.Mul64(x<<12, w)
	g, _ := bits.Mul64(lo*m.inv, m.p)
	return hi - g + m.p
}

// fold returns x or x-p, whichever is not negative.
func fold(x, p uint64) uint64 { return min(x, x-p) }

func (scalar) unit(m *modulus) uint64 { return m.toMont }

func (scalar) factor(m *modulus, w uint64) factor { return m.factor(w) }

func (scalar) turn(m *modulus, dst, x []uint64, c factor) {
	for i, v := range x {
		dst[i] = fold(shoup(v, c, m.p), m.p)
	}
}

func (scalar) factors(m *modulus, dst []factor, w []uint64) {
	for i := range dst {
		dst[i] = m.factor(w[i])
	}
}

func (scalar) load(_ *modulus, dst, limbs []uint64) {
	n := copy(dst, limbs)
	clear(dst[n:])
}

func (scalar) loadAdd(dst, limbs []uint64) {
	for i, x := range limbs {
		dst[i] += x
	}
}

func (k scalar) loadMadd(m *modulus, dst, limbs []uint64, c factor) { k.madd(m, dst, dst, limbs, c) }

// forward2 is the forward butterfly: (x + wy, x - wy) for x, y < 4p.
func forward2(x, y uint64, w factor, m *modulus) (uint64, uint64) {
	x = fold(x, m.twoP)
	t := shoup(y, w, m.p)
	return x + t, x + m.twoP - t
}

// inverse2 is the inverse butterfly: (x + y, w(y - x)) for x, y < 2p.
func inverse2(x, y uint64, w factor, m *modulus) (uint64, uint64) {
	return fold(x+y, m.twoP), shoup(y+m.twoP-x, w, m.p)
}

func (k scalar) split(t *tables, d []uint64, rows, lo, hi, j int) {
	n := len(d)
	switch rows {
	case 2:
		k.split2(t, d, n/2, lo, hi, j)
	case 4:
		k.split4(t, d, n/4, lo, hi, j)
	default: // two levels on the columns of all rows, then the rest in each quarter
		for r := range rows / 4 {
			k.split4(t, d, n/4, r*(n/rows)+lo, r*(n/rows)+hi, j)
		}
		for i := range 4 {
			k.split(t, d[i*n/4:(i+1)*n/4], rows/4, lo, hi, 4*j+i)
		}
	}
}

func (k scalar) join(t *tables, d []uint64, rows, lo, hi, j int) {
	n := len(d)
	switch rows {
	case 2:
		k.join2(t, d, n/2, lo, hi, j)
	case 4:
		k.join4(t, d, n/4, lo, hi, j)
	default:
		for i := range 4 {
			k.join(t, d[i*n/4:(i+1)*n/4], rows/4, lo, hi, 4*j+i)
		}
		for r := range rows / 4 {
			k.join4(t, d, n/4, r*(n/rows)+lo, r*(n/rows)+hi, j)
		}
	}
}

// split4 does two levels on four rows of length q; split2 does one on two.
func (scalar) split4(t *tables, d []uint64, q, lo, hi, j int) {
	m, w1, w2, w3 := t.modulus, t.twist[j], t.twist[2*j], t.twist[2*j+1]
	d0 := d[lo:hi:hi]
	d1 := d[q+lo : q+hi : q+hi][:len(d0)]
	d2 := d[2*q+lo : 2*q+hi : 2*q+hi][:len(d0)]
	d3 := d[3*q+lo : 3*q+hi : 3*q+hi][:len(d0)]
	for i := range d0 {
		a, c := forward2(d0[i], d2[i], w1, m)
		b, e := forward2(d1[i], d3[i], w1, m)
		d0[i], d1[i] = forward2(a, b, w2, m)
		d2[i], d3[i] = forward2(c, e, w3, m)
	}
}

func (scalar) split2(t *tables, d []uint64, q, lo, hi, j int) {
	m, w := t.modulus, t.twist[j]
	x, y := d[lo:hi], d[q+lo:q+hi]
	y = y[:len(x)]
	for i := range x {
		x[i], y[i] = forward2(x[i], y[i], w, m)
	}
}

func (k scalar) leaf(t *tables, d []uint64, j int) {
	n, rows, blocks := len(d), len(d), 1
	if bits.TrailingZeros(uint(n))&1 == 0 { // two levels at a time must end at 8
		k.split2(t, d, n/2, 0, n/2, j)
		rows, blocks, j = n/2, 2, 2*j
	}
	for ; rows > 8; rows, blocks, j = rows/4, blocks*4, j*4 {
		for b := range blocks {
			k.split4(t, d[b*rows:(b+1)*rows], rows/4, 0, rows/4, j+b)
		}
	}
	for b := range blocks {
		split8(t, (*[8]uint64)(d[8*b:]), t.seed[j+b])
	}
}

// seeds derives the factors of a block of 8 points from its seed, all in
// Montgomery form and below p: those of the first level, of the two blocks of
// the second, of the four of the third.
func seeds(t *tables, s uint64) (one uint64, two [2]uint64, four [4]uint64) {
	m := t.modulus
	four[0] = s
	for i := 1; i < 4; i++ {
		four[i] = fold(shoup(s, m.step[i-1], m.p), m.p)
	}
	two[0] = fold(montgomery(s, s, m), m.p)
	two[1] = fold(shoup(two[0], m.step[0], m.p), m.p)
	one = fold(montgomery(two[0], two[0], m), m.p)
	return one, two, four
}

// forwardMont is forward2 with a factor in Montgomery form.
func forwardMont(x, y *uint64, w uint64, m *modulus) {
	a := fold(*x, m.twoP)
	t := montgomery(*y, w, m)
	*x, *y = a+t, a+m.twoP-t
}

// inverseMont is inverse2 with a factor in Montgomery form.
func inverseMont(x, y *uint64, w uint64, m *modulus) {
	*x, *y = fold(*x+*y, m.twoP), montgomery(*y+m.twoP-*x, w, m)
}

func split8(t *tables, d *[8]uint64, seed uint64) {
	m := t.modulus
	one, two, four := seeds(t, seed)
	for i := range 4 {
		forwardMont(&d[i], &d[i+4], one, m)
	}
	for i := range 2 {
		forwardMont(&d[i], &d[i+2], two[0], m)
		forwardMont(&d[i+4], &d[i+6], two[1], m)
	}
	for i := range 4 {
		forwardMont(&d[2*i], &d[2*i+1], four[i], m)
	}
}

func join8(t *tables, d *[8]uint64, seed uint64) {
	m := t.modulus
	one, two, four := seeds(t, seed)
	for i := range 4 {
		inverseMont(&d[2*i], &d[2*i+1], four[3-i], m)
	}
	for i := range 2 {
		inverseMont(&d[i], &d[i+2], two[1], m)
		inverseMont(&d[i+4], &d[i+6], two[0], m)
	}
	for i := range 4 {
		inverseMont(&d[i], &d[i+4], one, m)
	}
}

func (scalar) join4(t *tables, d []uint64, q, lo, hi, j int) {
	m := t.modulus
	w1, w2, w3 := t.back(j)
	d0 := d[lo:hi:hi]
	d1 := d[q+lo : q+hi : q+hi][:len(d0)]
	d2 := d[2*q+lo : 2*q+hi : 2*q+hi][:len(d0)]
	d3 := d[3*q+lo : 3*q+hi : 3*q+hi][:len(d0)]
	for i := range d0 {
		a, b := inverse2(d0[i], d1[i], w2, m)
		c, e := inverse2(d2[i], d3[i], w3, m)
		d0[i], d2[i] = inverse2(a, c, w1, m)
		d1[i], d3[i] = inverse2(b, e, w1, m)
	}
}

// back returns the factors of the inverse of two levels of block j: -1/W[j],
// -1/W[2j], -1/W[2j+1].
func (t *tables) back(j int) (w1, w2, w3 factor) {
	if j == 0 {
		n := len(t.mirror.twist)
		return t.mirror.twist[n-1], t.mirror.twist[n-1], t.mirror.twist[n-2]
	}
	j = opposite(j)
	return t.twist[j], t.twist[2*j+1], t.twist[2*j]
}

func (scalar) join2(t *tables, d []uint64, q, lo, hi, j int) {
	m := t.modulus
	w, _, _ := t.back(j)
	x, y := d[lo:hi], d[q+lo:q+hi]
	y = y[:len(x)]
	for i := range x {
		x[i], y[i] = inverse2(x[i], y[i], w, m)
	}
}

func (k scalar) unleaf(t *tables, d []uint64, j int) {
	n := len(d)
	blocks := n / 8
	for b := range blocks {
		join8(t, (*[8]uint64)(d[8*b:]), t.backSeed(j*blocks+b))
	}
	rows := 8
	for rows*4 <= n {
		rows, blocks = rows*4, blocks/4
		for b := range blocks {
			k.join4(t, d[b*rows:(b+1)*rows], rows/4, 0, rows/4, j*blocks+b)
		}
	}
	if rows < n {
		k.join2(t, d, n/2, 0, n/2, j)
	}
}

// backSeed returns -1/W[4s+3] in Montgomery form, from which seeds derives the
// factors of the inverse in backward order.
func (t *tables) backSeed(s int) uint64 {
	if n := len(t.mirror.seed); s < n {
		return t.mirror.seed[n-1-s]
	}
	return t.seed[opposite(s)]
}

func (scalar) madd(m *modulus, dst, x, y []uint64, c factor) {
	x, y = x[:len(dst)], y[:len(dst)]
	for i := range dst {
		dst[i] = fold(shoup(x[i], c, m.p)+fold(y[i], m.twoP), m.twoP)
	}
}

func (scalar) scale(m *modulus, dst, x []uint64, c factor) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = shoup(x[i], c, m.p)
	}
}

func (scalar) times(m *modulus, dst, a, b []uint64) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = montgomery(fold(a[i], m.twoP), fold(b[i], m.twoP), m)
	}
}

func (scalar) square(m *modulus, dst, a []uint64) {
	a = a[:len(dst)]
	for i := range dst {
		x := fold(a[i], m.twoP)
		dst[i] = montgomery(x, x, m)
	}
}

func (scalar) add(m *modulus, dst, a, b []uint64) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = fold(fold(a[i], m.twoP)+fold(b[i], m.twoP), m.twoP)
	}
}

func (scalar) fib(m *modulus, x, y []uint64) {
	y = y[:len(x)]
	for i := range x {
		f, g := fold(x[i], m.twoP), fold(y[i], m.twoP)
		twice := fold(g+g, m.twoP)
		x[i] = montgomery(f, fold(f+twice, m.twoP), m)
		y[i] = fold(montgomery(f, f, m)+montgomery(g, g, m), m.twoP)
	}
}

func (scalar) compose(c *rebuild, z, r0, r1 []uint64, in carry) carry {
	return c.scalar(z, r0, r1, in)
}
