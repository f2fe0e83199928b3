package ntt

import (
	"context"
	"math/bits"
	"unsafe"
)

// Twiddle factors, and why half of them suffice.
//
// A transform splits the ring of polynomials modulo x^n - w² into the rings
// modulo x^(n/2) - w and x^(n/2) + w, again and again. The rings of one level
// are numbered from left to right: block j of a level splits with the factor
// W[j], into the blocks 2j and 2j+1 of the next. W is in bit-reversed order,
//
//	W[0] = 1,  W[2^k + i] = W[i]·r(k+2) for i < 2^k,
//
// where r(m) is a primitive 2^m-th root of unity. So the table of a short
// transform is the beginning of the table of a longer one, and a table grows by
// appending.
//
// The way back needs 1/W[j]. For j in [2^k, 2^(k+1)), with j' = 3·2^k - 1 - j,
//
//	1/W[j] = -W[j'],
//
// because the exponents of W[j] and W[j'] add up to one half of a turn. So the
// inverse reads the same table backwards and gives the sign to the difference
// that is multiplied. Only blocks that contain j = 0, which belong to no
// interval [2^k, 2^(k+1)), need a table of their own: mirror.
//
// The last three levels (blocks of 8 points) take their factors from seed[t] =
// W[4t]·unit, since W[2t] = W[4t]² and W[t] = W[4t]⁴, and the odd ones differ by
// constants. The unit is what the tier's products are divided by.

// tables holds the factors for transforms of up to size points under one prime.
// It is immutable.
type tables struct {
	*modulus
	size   int
	twist  []factor // W[j] for j < size/16
	seed   []uint64 // W[4t]·unit for t < size/8
	mirror mirror
}

// mirror holds the factors of the inverse for blocks that start at j = 0, in
// backward order: -1/W[j] is at twist[len-1-j], and -1/W[4t+3]·unit at
// seed[len-1-t].
type mirror struct {
	twist []factor
	seed  []uint64
}

// leafSize is the largest number of points of a block that is finished before the
// next one is begun: half of it, the usual case, fits the first-level cache.
const leafSize = 8192

// minPoints is the shortest transform: the vector tiers work on two blocks of 64.
const minPoints = 128

// newTables returns the tables for size points, a power of two, or nil if ctx ends before
// they are complete. Building them costs less than a transform, so nothing is taken over
// from shorter ones.
func newTables(ctx context.Context, m *modulus, k kernel, p *pool, size int) *tables {
	size = max(size, leafSize)
	t := &tables{modulus: m, size: size}
	twist := p.words(ctx, size/8) // a factor is two words
	t.twist = unsafe.Slice((*factor)(unsafe.Pointer(unsafe.SliceData(twist))), size/16)
	t.seed = p.words(ctx, size/8)
	scratch := p.get(size / 16)
	defer p.put(scratch)
	plain := scratch.words[:size/16]
	plain[0] = k.factor(m, 1).w
	doubling(ctx, m, k, plain, 2)
	inBlocks(ctx, len(plain), func(lo, hi int) { k.factors(m, t.twist[lo:hi], plain[lo:hi]) })
	t.seed[0] = k.factor(m, k.unit(m)).w
	doubling(ctx, m, k, t.seed, 4)
	if stopped(ctx) {
		return nil
	}
	t.mirror.fill(t, k)
	return t
}

// doubling fills dst, whose length is a power of two and whose first element is set, with
// a table in bit-reversed order: dst[2^k+i] = dst[i]·root[k+shift].
func doubling(ctx context.Context, m *modulus, k kernel, dst []uint64, shift int) {
	for n := 1; n < len(dst) && !stopped(ctx); n *= 2 {
		root := k.factor(m, m.root[shift])
		inBlocks(ctx, n, func(lo, hi int) { k.turn(m, dst[n+lo:n+hi], dst[lo:hi], root) })
		shift++
	}
}

// fill derives the mirror from the forward tables.
func (r *mirror) fill(t *tables, k kernel) {
	m := t.modulus
	n := leafSize / 16
	r.twist = make([]factor, n)
	r.twist[n-1] = k.factor(m, m.p-1)
	for j := 1; j < n; j++ {
		r.twist[n-1-j] = t.twist[opposite(j)]
	}
	n = leafSize / 8
	r.seed = make([]uint64, n)
	r.seed[n-1] = k.factor(m, m.mul(m.step[1].w, k.unit(m))).w // -1/W[3] = W[2]
	for s := 1; s < n; s++ {                                   // -1/W[4s+3] = W[4s'], as the opposite of 4s+3 is 4s'
		r.seed[n-1-s] = t.seed[opposite(s)]
	}
}

// opposite returns j' with W[j]·W[j'] = -1, for j > 0.
func opposite(j int) int { return 3<<(bits.Len(uint(j))-1) - 1 - j }
