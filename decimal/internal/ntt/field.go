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

// grow returns tables for size points or more, and builds them if there are none.
func (f *field) grow(size int) *tables {
	if t := f.built.Load(); t != nil && t.size >= size {
		return t
	}
	f.building.Lock()
	defer f.building.Unlock()
	if t := f.built.Load(); t != nil && t.size >= size {
		return t
	}
	size = 1 << bits.Len(uint(size-1))
	t := newTables(f.modulus, f.kernel, f.pool, size)
	f.built.Store(t)
	return t
}

// keptTables is the number of points up to which tables survive a trim. They take two
// megabytes for each prime.
const keptTables = 1 << 20

// trim forgets long tables. Transforms that run have them still.
func (f *field) trim() {
	f.building.Lock()
	defer f.building.Unlock()
	if t := f.built.Load(); t != nil && t.size > keptTables {
		f.built.Store(nil)
	}
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
	c.place(s, d, limbs)
	c.weave(s, weaving{forward: [][]uint64{d}})
}

// place puts limbs into all pieces of d.
func (c *course) place(s *stopper, d, limbs []uint64) {
	for _, g := range c.merges {
		c.reduce(s, d[g.offset:][:g.n], limbs, g)
	}
	first := d[:c.pieces[0].n]
	c.load(c.modulus, first, limbs[:min(len(limbs), len(first))])
	for rest := limbs; len(rest) > len(first); {
		rest = rest[len(first):]
		c.loadAdd(first, rest[:min(len(rest), len(first))])
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

// weaving says what is done to vectors of points: all levels of the forward transform
// of some, then an operation on the points, then all levels of the inverse of some.
// They are done depth first: each part that fits the cache is finished, for all
// vectors, before the next one begins.
type weaving struct {
	forward, inverse [][]uint64
	point            func(lo, hi int) // works on points lo to hi of all vectors; may be nil
}

// weave works on all pieces.
func (c *course) weave(s *stopper, w weaving) {
	t := c.grow(c.tableSize())
	for _, p := range c.pieces {
		c.weaveBlock(s, t, w, p)
	}
}

// weaveBlock works on one block.
func (c *course) weaveBlock(s *stopper, t *tables, w weaving, b piece) {
	end := b.offset + b.n
	if b.n <= leafSize {
		for _, d := range w.forward {
			c.leaf(t, d[b.offset:end], b.j)
		}
		if w.point != nil {
			w.point(b.offset, end)
		}
		for _, d := range w.inverse {
			c.unleaf(t, d[b.offset:end], b.j)
		}
		return
	}
	// Sixteen rows as long as that leads to leaves of leafSize or half of it, less in
	// the last pass.
	rows := min(16, 2*b.n/leafSize)
	for _, d := range w.forward {
		c.pass(s, c.split, t, d[b.offset:end], rows, b.j)
	}
	for i := range rows {
		if s.stopped() {
			return
		}
		c.weaveBlock(s, t, w, piece{b.offset + i*(b.n/rows), b.n / rows, rows*b.j + i})
	}
	for _, d := range w.inverse {
		c.pass(s, c.join, t, d[b.offset:end], rows, b.j)
	}
}

// columns is the number of elements of a row that a pass handles between two
// looks at the context.
const columns = 1 << 15

// pass runs split or join on all columns of block j.
func (c *course) pass(s *stopper, run func(t *tables, d []uint64, rows, lo, hi, j int), t *tables, d []uint64, rows, j int) {
	q := len(d) / rows
	for lo := 0; lo < q && !s.stopped(); lo += columns {
		run(t, d, rows, lo, min(lo+columns, q), j)
	}
}

// inverse undoes forward, up to a factor of the length of the first piece.
func (c *course) inverse(s *stopper, d []uint64) {
	c.weave(s, weaving{inverse: [][]uint64{d}})
	c.mergeAll(s, d)
}

// mergeAll joins the pieces of d.
func (c *course) mergeAll(s *stopper, d []uint64) {
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
