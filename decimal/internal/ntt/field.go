package ntt

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// field is one prime of an engine: the constants, the tier's arithmetic and the
// tables built so far.
type field struct {
	*modulus
	kernel
	pool     *pool
	building sync.Mutex
	built    atomic.Pointer[tables]
}

// grow makes sure that there are tables for size points.
func (f *field) grow(size int) {
	if t := f.built.Load(); t != nil && t.size >= size {
		return
	}
	f.building.Lock()
	defer f.building.Unlock()
	if t := f.built.Load(); t != nil && t.size >= size {
		return
	}
	size = 1 << bits.Len(uint(size-1))
	f.built.Store(newTables(f.modulus, f.kernel, f.pool, size))
}

// course is a transform of one layout under one prime. It uses the latest tables of
// the field, since long ones begin with short ones.
type course struct {
	*field
	layout
	merges []merge
}

func newCourse(f *field, l layout) *course {
	f.grow(l.tableSize())
	return &course{f, l, l.merges(f.modulus, f.kernel)}
}

// forward transforms limbs into d.
func (c *course) forward(s *stopper, d, limbs []uint64) {
	for _, g := range c.merges {
		c.reduce(s, d[g.offset:][:g.n], limbs, g)
	}
	first := d[:c.pieces[0].n]
	c.load(c.modulus, first, limbs[:min(len(limbs), len(first))])
	for rest := limbs; len(rest) > len(first); {
		rest = rest[len(first):]
		c.loadAdd(first, rest[:min(len(rest), len(first))])
	}
	for _, p := range c.pieces {
		c.split(s, d[p.offset:][:p.n], p.j)
	}
}

// reduce sets d to the limbs modulo x^n - c, by Horner's rule on blocks of n.
func (c *course) reduce(s *stopper, d, limbs []uint64, g merge) {
	last := max(0, (len(limbs)-1)/g.n*g.n)
	c.load(c.modulus, d, limbs[last:])
	for at := last - g.n; at >= 0 && !s.stopped(); at -= g.n {
		c.loadMadd(c.modulus, d, limbs[at:at+g.n], g.c)
	}
}

// columns is the number of elements of a row that a pass handles between two
// looks at the context.
const columns = 1 << 15

// split does the forward transform of block j, depth first: each part that fits
// the cache is finished before the next one begins.
func (c *course) split(s *stopper, d []uint64, j int) {
	n := len(d)
	if n <= leafSize {
		c.leaf(c.built.Load(), d, j)
		return
	}
	rows := radix(n)
	q := n / rows
	for lo := 0; lo < q; lo += columns {
		if s.stopped() {
			return
		}
		c.kernel.split(c.built.Load(), d, rows, lo, min(lo+columns, q), j)
	}
	for i := range rows {
		c.split(s, d[i*q:(i+1)*q], rows*j+i)
	}
}

// radix returns the number of rows of the pass on a block of n > leafSize points:
// sixteen as long as that leads to leaves of leafSize or half of it, less for the
// last pass.
func radix(n int) int { return min(16, 2*n/leafSize) }

// join undoes split, up to a factor len(d).
func (c *course) join(s *stopper, d []uint64, j int) {
	n := len(d)
	if n <= leafSize {
		c.unleaf(c.built.Load(), d, j)
		return
	}
	rows := radix(n)
	q := n / rows
	for i := range rows {
		c.join(s, d[i*q:(i+1)*q], rows*j+i)
	}
	for lo := 0; lo < q; lo += columns {
		if s.stopped() {
			return
		}
		c.kernel.join(c.built.Load(), d, rows, lo, min(lo+columns, q), j)
	}
}

// inverse undoes forward, up to a factor of the length of the first piece.
func (c *course) inverse(s *stopper, d []uint64) {
	for _, p := range c.pieces {
		c.join(s, d[p.offset:][:p.n], p.j)
	}
	if len(c.merges) == 0 {
		return
	}
	scratch := c.pool.get(c.merges[0].n)
	defer c.pool.put(scratch)
	for _, g := range c.merges {
		c.merge(s, d, scratch.words[:g.n], g)
	}
}

// merge joins one piece to those before it, as described at the type.
func (c *course) merge(s *stopper, d, r []uint64, g merge) {
	m := c.modulus
	q := d[g.offset:][:g.n]
	copy(r, d[g.offset-g.n:g.offset])
	for at := g.offset - 2*g.n; at >= 0 && !s.stopped(); at -= g.n {
		c.madd(m, r, r, d[at:at+g.n], g.c)
	}
	c.scale(m, q, q, g.fromB)
	c.madd(m, q, r, q, g.fromR)
	for _, t := range g.terms {
		if s.stopped() {
			return
		}
		part := d[t.exp:][:g.n]
		c.madd(m, part, q, part, t.coeff)
	}
}
