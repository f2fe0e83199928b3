package decimal

import (
	"context"
	"math/bits"

	"github.com/seed-649d3d38/heddle/decimal/internal/ntt"
	"github.com/seed-649d3d38/heddle/decimal/internal/pages"
)

// longPair is F(k) and F(k-1) on the way to a longer term. Both lie in one
// block of memory that has room for the last result, and every doubling takes
// place in it: once the transforms of a number are made, its limbs are not
// needed any more.
type longPair struct {
	k              uint64
	this, previous []uint64 // trimmed; each may grow to half of block
	block          []uint64
	width          int
}

// startPair is the largest k whose pair is made by the schoolbook method to
// begin with.
const startPair = maxShortFibonacci / 4

// phiDigits is log10 of the golden ratio: F(n) has phiDigits·n - 0.35 digits,
// rounded up (OEIS A097348).
const phiDigits = 0.20898764024997873

// fibonacciLong returns F(n), unchecked, for n above maxShortFibonacci.
func (c *Calculator) fibonacciLong(ctx context.Context, n uint64) (limbs []uint64, width int, err error) {
	pair, err := c.pairFor(ctx, (n+1)/2, n)
	if err != nil {
		return nil, 0, err
	}
	z, err := c.termFrom(ctx, pair, n)
	c.report(1)
	return z, pair.width, err
}

// termFrom returns F(n), for n = 2k or 2k-1, in the pair's block.
func (c *Calculator) termFrom(ctx context.Context, pair *longPair, n uint64) ([]uint64, error) {
	plan, x, y, err := c.transformPair(ctx, pair, len(pair.block))
	if err != nil {
		return nil, err
	}
	defer x.Release()
	defer y.Release()
	if err := plan.FibDouble(ctx, x, y); err != nil {
		return nil, err
	}
	if n&1 == 1 {
		x, y = y, x // F(2k-1) is wanted
	}
	y.Release()
	z := pair.block[:2*len(pair.this)+1]
	if err := plan.Inverse(ctx, z, x); err != nil {
		return nil, err
	}
	c.stage("term", z)
	return z, nil
}

// lucasLong returns L(n), unchecked, for n of at least maxShortFibonacci:
//
//	L(2k)   = 5 F(k)² + 2(-1)^k
//	L(2k-1) = 5 F(k) F(k-1) - (-1)^k
func (c *Calculator) lucasLong(ctx context.Context, n uint64) (limbs []uint64, width int, err error) {
	k := (n + 1) / 2
	pair, err := c.pairFor(ctx, k, n)
	if err != nil {
		return nil, 0, err
	}
	a, b := pair.this, pair.this
	constant, subtract := uint64(2), k&1 == 1
	if n&1 == 1 {
		b, constant, subtract = pair.previous, 1, !subtract
	}
	if !pair.fits(len(a)+len(b)+1, len(pair.block)) {
		return nil, 0, ErrCorrupt
	}
	z := pair.block[:len(a)+len(b)+1]
	if err := c.multiply(ctx, z, a, b, pair.width); err != nil {
		return nil, 0, err
	}
	base, carry := pow10[pair.width], uint64(0)
	err = inBlocks(ctx, len(z), func(low, high int) {
		carry = mulWord(z[low:high], z[low:high], 5, carry, base)
	})
	if err != nil {
		return nil, 0, err
	}
	if subtract {
		subWord(z, constant, base)
	} else {
		addWord(z, constant, base)
	}
	c.stage("term", z)
	c.report(1)
	return z, pair.width, nil
}

// pairFor returns F(k) and F(k-1), which the caller makes a term of index n
// from.
func (c *Calculator) pairFor(ctx context.Context, k, n uint64) (*longPair, error) {
	shift := shortShift(k)
	p := newLongPair(ctx, k>>shift, n, longWidth(n))
	if err := c.ntt().Prepare(ctx, len(p.block)); err != nil {
		return nil, err
	}
	work, total := 0.0, 3*float64(len(p.block))
	for i := range shift {
		total += 2 * float64(uint64(len(p.block))>>i)
	}
	for shift--; shift >= 0; shift-- {
		if err := c.descend(ctx, p, k>>shift); err != nil {
			return nil, err
		}
		work += 4 * float64(len(p.this))
		c.report(min(1, work/total))
	}
	return p, nil
}

// longWidth returns the width of the pairs that make F(n).
func longWidth(n uint64) int {
	return max(min(widthFor(int(phiDigits*float64(n))+2), width12), width11)
}

// shortShift returns by how many bits k must be shifted to be at most startPair.
func shortShift(k uint64) int {
	shift := max(0, bits.Len64(k)-bits.Len64(startPair))
	if k>>shift > startPair {
		shift++
	}
	return shift
}

// newLongPair returns the pair for a k up to startPair, in a block with room
// for F(n).
func newLongPair(ctx context.Context, k, n uint64, width int) *longPair {
	p := emptyLongPair(ctx, n, width)
	p.start(k)
	return p
}

// emptyLongPair returns a block with room for F(n), where a doubled number may
// have three zero limbs at its top.
func emptyLongPair(ctx context.Context, n uint64, width int) *longPair {
	half := int(phiDigits*float64(n))/2/width + 6
	return &longPair{block: pages.Undefined(ctx, 2*half), width: width}
}

// room returns a half of the block.
func (p *longPair) room(i int) []uint64 {
	half := len(p.block) / 2
	return p.block[i*half : (i+1)*half : (i+1)*half]
}

// start sets p to the pair for k by the schoolbook method.
func (p *longPair) start(k uint64) {
	pairOf(k, func(this, previous []uint64) {
		p.k = k
		p.this = p.room(0)[:copy(p.room(0), repack(this, width18, p.width))]
		p.previous = p.room(1)[:copy(p.room(1), repack(previous, width18, p.width))]
	})
}

// descend turns p into the pair for k, one bit longer than its own.
func (c *Calculator) descend(ctx context.Context, p *longPair, k uint64) error {
	if err := c.doublePair(ctx, p); err != nil {
		return err
	}
	if k&1 == 1 {
		if err := p.advance(ctx); err != nil {
			return err
		}
	}
	c.stage("pair", p.this)
	c.stage("pair", p.previous)
	return nil
}

// transformPair returns the transforms of a pair and a plan to double it, if
// the result fits into so many limbs.
func (c *Calculator) transformPair(ctx context.Context, p *longPair, room int) (plan *ntt.Plan, x, y *ntt.Vector, err error) {
	n := len(p.this)
	if !p.fits(2*n+1, room) {
		return nil, nil, nil, ErrCorrupt
	}
	plan, err = c.ntt().NewPlan(ntt.Shape{Limbs: 2 * n, Radix: pow10[p.width], Terms: 3, Threads: c.Threads})
	if err != nil {
		return nil, nil, nil, err
	}
	x, y = plan.NewVector(), plan.NewVector()
	if err = plan.Forward(ctx, x, p.this); err == nil {
		err = plan.Forward(ctx, y, p.previous)
	}
	if err != nil {
		x.Release()
		y.Release()
		return nil, nil, nil, err
	}
	return plan, x, y, nil
}

// fits reports whether so many limbs fit into the room for them and the pair
// is in order. Only a fault makes a number too long.
func (p *longPair) fits(limbs, room int) bool {
	return limbs <= room && len(p.previous) <= len(p.this)
}

// doublePair turns F(k), F(k-1) into F(2k), F(2k-1). Sums of products
// are taken of the transforms, so that two ways there and two back are enough.
func (c *Calculator) doublePair(ctx context.Context, p *longPair) error {
	plan, x, y, err := c.transformPair(ctx, p, len(p.room(0)))
	if err != nil {
		return err
	}
	defer x.Release()
	defer y.Release()
	if err := plan.FibDouble(ctx, x, y); err != nil {
		return err
	}
	n, k := 2*len(p.this)+1, p.k
	p.this, p.previous = p.room(0)[:n], p.room(1)[:n]
	if err := plan.Inverse(ctx, p.this, x); err != nil {
		return err
	}
	if err := plan.Inverse(ctx, p.previous, y); err != nil {
		return err
	}
	p.this, p.previous, p.k = trim(p.this), trim(p.previous), 2*k
	return nil
}

// advance replaces F(k), F(k-1) by F(k+1), F(k).
func (p *longPair) advance(ctx context.Context) error {
	base := pow10[p.width]
	n := len(p.this)
	if !p.fits(n+1, len(p.block)/2) {
		return ErrCorrupt
	}
	next := p.previous[:n+1]
	clear(next[len(p.previous):])
	var carry uint64
	err := inBlocks(ctx, n, func(low, high int) {
		carry = addWord(next[low:high], carry, base)
		carry += addLimbs(next[low:high], next[low:high], p.this[low:high], base)
	})
	if err != nil {
		return err
	}
	next[n] = carry
	p.this, p.previous = trim(next), p.this
	p.k++
	return nil
}

// blockLength is the number of limbs that linear passes handle between two
// looks at the context: less than a millisecond.
const blockLength = 1 << 17

// inBlocks calls pass for consecutive parts of [0, n) until ctx ends.
func inBlocks(ctx context.Context, n int, pass func(low, high int)) error {
	for low := 0; low < n; low += blockLength {
		if err := ctx.Err(); err != nil {
			return err
		}
		pass(low, min(n, low+blockLength))
	}
	return nil
}
