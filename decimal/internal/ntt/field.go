package ntt

import (
	"context"
	"math/bits"
	"sync/atomic"
)

// field is one prime of an engine: the constants, the tier's arithmetic and the
// tables built so far.
type field struct {
	*modulus
	kernel
	pool     *pool
	building chan struct{} // holds a token while tables are built or forgotten
	built    atomic.Pointer[tables]
}

// newField returns a field without tables.
func newField(m *modulus, k kernel, p *pool) *field {
	return &field{modulus: m, kernel: k, pool: p, building: make(chan struct{}, 1)}
}

// ready returns tables for size points or more, nil if none are built.
func (f *field) ready(size int) *tables {
	if t := f.built.Load(); t != nil && t.size >= size {
		return t
	}
	return nil
}

// grow returns tables for size points or more, and builds them if there are none. It
// returns nil when ctx ends before they are there; what was built is lost then.
func (f *field) grow(ctx context.Context, size int) *tables {
	if t := f.ready(size); t != nil {
		return t
	}
	select {
	case f.building <- struct{}{}:
	case <-ctx.Done():
		return nil
	}
	defer func() { <-f.building }()
	if t := f.ready(size); t != nil {
		return t
	}
	size = 1 << bits.Len(uint(size-1))
	t := newTables(ctx, f.modulus, f.kernel, f.pool, size)
	if t != nil {
		f.built.Store(t)
	}
	return t
}

// keptTables is the number of points up to which tables survive a trim. They take two
// megabytes for each prime.
const keptTables = 1 << 20

// trim forgets long tables. Transforms that run have them still, and those that are
// being built are kept.
func (f *field) trim() {
	if t := f.built.Load(); t != nil && t.size > keptTables {
		f.built.CompareAndSwap(t, nil)
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
	return &course{f, l, l.merges(f.modulus, f.kernel)}
}

// forward transforms limbs into d.
func (c *course) forward(ctx context.Context, d, limbs []uint64) {
	c.place(ctx, d, limbs)
	c.weave(ctx, weaving{forward: [][]uint64{d}})
}

// place puts limbs into all pieces of d.
func (c *course) place(ctx context.Context, d, limbs []uint64) {
	for _, g := range c.merges {
		c.reduce(ctx, d[g.offset:][:g.n], limbs, g)
	}
	first := d[:c.pieces[0].n]
	c.loadBlocks(ctx, first, limbs[:min(len(limbs), len(first))])
	for rest := limbs; len(rest) > len(first); {
		rest = rest[len(first):]
		inBlocks(ctx, min(len(rest), len(first)), func(lo, hi int) { c.loadAdd(first[lo:hi], rest[lo:hi]) })
	}
}

// loadBlocks sets d to the limbs, padded with zeros.
func (c *course) loadBlocks(ctx context.Context, d, limbs []uint64) {
	inBlocks(ctx, len(d), func(lo, hi int) {
		c.load(c.modulus, d[lo:hi], limbs[min(lo, len(limbs)):min(hi, len(limbs))])
	})
}

// reduce sets d to the limbs modulo x^n - c, by Horner's rule on blocks of n.
func (c *course) reduce(ctx context.Context, d, limbs []uint64, g merge) {
	last := max(0, (len(limbs)-1)/g.n*g.n)
	c.loadBlocks(ctx, d, limbs[last:])
	for at := last - g.n; at >= 0 && !stopped(ctx); at -= g.n {
		inBlocks(ctx, g.n, func(lo, hi int) { c.loadMadd(c.modulus, d[lo:hi], limbs[at+lo:at+hi], g.c) })
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
func (c *course) weave(ctx context.Context, w weaving) {
	t := c.grow(ctx, c.tableSize())
	if t == nil {
		return
	}
	for _, p := range c.pieces {
		c.weaveBlock(ctx, t, w, p)
	}
}

// weaveBlock works on one block.
func (c *course) weaveBlock(ctx context.Context, t *tables, w weaving, b piece) {
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
		c.pass(ctx, c.split, t, d[b.offset:end], rows, b.j)
	}
	for i := range rows {
		if stopped(ctx) {
			return
		}
		c.weaveBlock(ctx, t, w, piece{b.offset + i*(b.n/rows), b.n / rows, rows*b.j + i})
	}
	for _, d := range w.inverse {
		c.pass(ctx, c.join, t, d[b.offset:end], rows, b.j)
	}
}

// columns is the number of elements of a row that a pass handles between two
// looks at the context.
const columns = 1 << 15

// pass runs split or join on all columns of block j.
func (c *course) pass(ctx context.Context, run func(t *tables, d []uint64, rows, lo, hi, j int), t *tables, d []uint64, rows, j int) {
	q := len(d) / rows
	for lo := 0; lo < q && !stopped(ctx); lo += columns {
		run(t, d, rows, lo, min(lo+columns, q), j)
	}
}

// inverse undoes forward, up to a factor of the length of the first piece.
func (c *course) inverse(ctx context.Context, d []uint64) {
	c.weave(ctx, weaving{inverse: [][]uint64{d}})
	c.mergeAll(ctx, d)
}

// mergeAll joins the pieces of d.
func (c *course) mergeAll(ctx context.Context, d []uint64) {
	if len(c.merges) == 0 {
		return
	}
	scratch := c.pool.get(min(c.merges[0].n, block))
	defer c.pool.put(scratch)
	for _, g := range c.merges {
		c.merge(ctx, d, scratch.words, g)
	}
}

// merge joins one piece to those before it, as described at the type. Coefficient i of the
// piece and of q only meets those whose distance from it is a multiple of n, so that a block of
// columns is finished before the next one begins.
func (c *course) merge(ctx context.Context, d, scratch []uint64, g merge) {
	m := c.modulus
	q := d[g.offset:][:g.n]
	inBlocks(ctx, g.n, func(lo, hi int) {
		r, q := scratch[:hi-lo], q[lo:hi]
		copy(r, d[g.offset-g.n+lo:])
		for at := g.offset - 2*g.n; at >= 0; at -= g.n {
			c.madd(m, r, r, d[at+lo:at+hi], g.c)
		}
		c.scale(m, q, q, g.fromB)
		c.madd(m, q, r, q, g.fromR)
		for _, t := range g.terms {
			part := d[t.exp+lo : t.exp+hi]
			c.madd(m, part, q, part, t.coeff)
		}
	})
}
