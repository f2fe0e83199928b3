package ntt

import (
	"math"
	"math/bits"
)

// fma is the tier in AVX2 and FMA assembly. Its residues are doubles, positive or
// negative, in the words' bits; gen/fma.go says how large they become.
type fma struct{}

//go:noescape
func fmaSplit2(p *pass)

//go:noescape
func fmaSplit4(p *pass)

//go:noescape
func fmaJoin2(p *pass)

//go:noescape
func fmaJoin4(p *pass)

//go:noescape
func fmaLeaf(p *pass)

//go:noescape
func fmaUnleaf(p *pass)

//go:noescape
func fmaTimes(dst, x, y *uint64, n int, c float64, m *modulus)

//go:noescape
func fmaAdd(dst, x, y *uint64, n int, c float64, m *modulus)

//go:noescape
func fmaMadd(dst, x, y *uint64, n int, c float64, m *modulus)

//go:noescape
func fmaScale(dst, x, y *uint64, n int, c float64, m *modulus)

//go:noescape
func fmaFib(dst, x, y *uint64, n int, c float64, m *modulus)

//go:noescape
func fmaLoad(dst, x, y *uint64, n int, c float64, m *modulus)

//go:noescape
func fmaStore(dst, x, y *uint64, n int, c float64, m *modulus)

func (fma) unit(*modulus) uint64 { return 1 }

func (fma) factor(m *modulus, w uint64) factor { return factor{w: math.Float64bits(m.centred(w))} }

func (k fma) turn(m *modulus, dst, x []uint64, c factor) {
	if len(x) >= 4 {
		k.scale(m, dst, x, c)
		return
	}
	var short [4]uint64 // a vector
	copy(short[:], x)
	k.scale(m, short[:], short[:], c)
	copy(dst, short[:len(x)])
}

func (fma) factors(_ *modulus, dst []factor, w []uint64) {
	for i := range dst {
		dst[i].w = w[i]
	}
}

func (fma) load(m *modulus, dst, limbs []uint64) {
	n := len(limbs) &^ 3
	if n > 0 {
		fmaLoad(&dst[0], &limbs[0], &limbs[0], n, 0, m)
	}
	for i := n; i < len(limbs); i++ {
		dst[i] = math.Float64bits(float64(limbs[i]))
	}
	clear(dst[len(limbs):]) // the bits of 0.0 are zero
}

func (fma) loadAdd(dst, limbs []uint64) {
	for i, x := range limbs {
		dst[i] = math.Float64bits(math.Float64frombits(dst[i]) + float64(x))
	}
}

func (k fma) loadMadd(m *modulus, dst, limbs []uint64, c factor) {
	var x [128]uint64
	for len(dst) > 0 {
		n := min(len(dst), len(x))
		k.load(m, x[:n], limbs[:n])
		k.madd(m, dst[:n], dst[:n], x[:n], c)
		dst, limbs = dst[n:], limbs[n:]
	}
}

// fmaTile is the number of columns on which two passes of four rows follow each
// other, so that sixteen rows stay in the first-level cache.
const fmaTile = 256

func (k fma) split(t *tables, d []uint64, rows, lo, hi, j int) {
	if rows <= 4 {
		p := pass{data: &d[lo], row: len(d) / rows, columns: hi - lo, blocks: 1, modulus: t.modulus}
		p.fmaSplit(t, rows, j)
		return
	}
	row, quarter := len(d)/rows, len(d)/4
	for ; lo < hi; lo += fmaTile {
		end := min(lo+fmaTile, hi)
		for r := range rows / 4 {
			p := pass{data: &d[r*row+lo], row: quarter, columns: end - lo, blocks: 1, modulus: t.modulus}
			p.fmaSplit(t, 4, j)
		}
		p := pass{data: &d[lo], row: row, columns: end - lo, blocks: 4, modulus: t.modulus}
		p.fmaSplit(t, rows/4, 4*j)
	}
}

// fmaSplit runs the forward pass of two or four rows.
func (p *pass) fmaSplit(t *tables, rows, j int) {
	p.forwardTwist(t, j, bits.TrailingZeros(uint(rows)))
	if rows == 2 {
		fmaSplit2(p)
	} else {
		fmaSplit4(p)
	}
}

func (k fma) join(t *tables, d []uint64, rows, lo, hi, j int) {
	if rows <= 4 {
		p := pass{data: &d[lo], row: len(d) / rows, columns: hi - lo, blocks: 1, modulus: t.modulus}
		p.fmaJoin(t, rows, j)
		return
	}
	row, quarter := len(d)/rows, len(d)/4
	for ; lo < hi; lo += fmaTile {
		end := min(lo+fmaTile, hi)
		for b := range 4 {
			p := pass{data: &d[b*quarter+lo], row: row, columns: end - lo, blocks: 1, modulus: t.modulus}
			p.fmaJoin(t, rows/4, 4*j+b)
		}
		for r := range rows / 4 {
			p := pass{data: &d[r*row+lo], row: quarter, columns: end - lo, blocks: 1, modulus: t.modulus}
			p.fmaJoin(t, 4, j)
		}
	}
}

// fmaJoin runs the inverse pass of two or four rows.
func (p *pass) fmaJoin(t *tables, rows, j int) {
	p.inverseTwist(t, j, bits.TrailingZeros(uint(rows)))
	if rows == 2 {
		fmaJoin2(p)
	} else {
		fmaJoin4(p)
	}
}

func (fma) leaf(t *tables, d []uint64, j int) {
	p := pass{data: &d[0], modulus: t.modulus, blocks: 1}
	size := len(d) // of a block
	for size > 8 {
		rows := 4
		if bits.TrailingZeros(uint(size))&1 == 0 { // an even number of levels is left when size is 8
			rows = 2
		}
		size /= rows
		p.row, p.columns = size, size
		p.fmaSplit(t, rows, j)
		p.blocks, j = p.blocks*rows, j*rows
	}
	p.seed = &t.seed[j]
	fmaLeaf(&p)
}

func (fma) unleaf(t *tables, d []uint64, j int) {
	p := pass{data: &d[0], modulus: t.modulus, blocks: len(d) / 8}
	if j == 0 {
		p.seed = &t.mirror.seed[len(t.mirror.seed)-4]
	} else {
		p.seed = &t.seed[4*opposite(j*p.blocks/4)]
	}
	fmaUnleaf(&p)
	for size := 8; size < len(d); {
		rows := 4
		if 2*size == len(d) {
			rows = 2
		}
		p.row, p.columns = size, size
		size *= rows
		p.blocks /= rows
		p.fmaJoin(t, rows, j*p.blocks)
	}
}

func (fma) madd(m *modulus, dst, x, y []uint64, c factor) {
	fmaMadd(&dst[0], &x[0], &y[0], len(dst), math.Float64frombits(c.w), m)
}

func (fma) scale(m *modulus, dst, x []uint64, c factor) {
	fmaScale(&dst[0], &x[0], &x[0], len(dst), math.Float64frombits(c.w), m)
}

func (fma) times(m *modulus, dst, a, b []uint64) {
	fmaTimes(&dst[0], &a[0], &b[0], len(dst), 0, m)
}

func (fma) square(m *modulus, dst, a []uint64) {
	fmaTimes(&dst[0], &a[0], &a[0], len(dst), 0, m)
}

func (fma) add(m *modulus, dst, a, b []uint64) {
	fmaAdd(&dst[0], &a[0], &b[0], len(dst), 0, m)
}

func (fma) fib(m *modulus, x, y []uint64) {
	fmaFib(&x[0], &x[0], &y[0], len(x), 0, m)
}

func (fma) compose(c *rebuild, z, r0, r1 []uint64, in carry) carry {
	var x0, x1 [128]uint64
	for len(z) > 0 {
		n := min(len(z), len(x0))
		whole := (n + 3) &^ 3 // vectors have a multiple of 8 points, so there is something to read
		fmaStore(&x0[0], &r0[0], &r0[0], whole, 0, c.m0)
		fmaStore(&x1[0], &r1[0], &r1[0], whole, 0, c.m1)
		in = c.scalar(z[:n], x0[:n], x1[:n], in)
		z, r0, r1 = z[n:], r0[n:], r1[n:]
	}
	return in
}
