package decimal

import (
	"context"
	"math"

	"github.com/seed-649d3d38/heddle/decimal/internal/ntt"
)

// rootLong returns the root of a, of width12 or width11, right to one unit:
// the inverse root to half the length by Newton's iteration, and then one step
// that gives root and length at once (Karp and Markstein 1997). The bound of
// its error is proved in docs/decimal-root-bound.md.
func (c *Calculator) rootLong(ctx context.Context, a []uint64, width int) ([]uint64, error) {
	at := alignmentOf(digitsOf(a, width), width)
	s, err := newRooter(c, a, at, width).root(ctx)
	if err != nil {
		return nil, err
	}
	return shiftRight(s, width+at.shift/2, width), nil
}

// rooter computes roots of x/base^(2 limbs), a number from 1/100 to 1. Numbers
// are fixed-point: those with n limbs after the point are integers times
// base^-n.
type rooter struct {
	*Calculator
	width int
	base  uint64
	x     []uint64 // 2 limbs limbs
	zeros int      // at the bottom of x
	limbs int
	work  float64 // points transformed so far, for the progress
}

// newRooter returns a rooter for a, shifted.
func newRooter(c *Calculator, a []uint64, at alignment, width int) *rooter {
	r := &rooter{Calculator: c, width: width, base: pow10[width], x: shiftLeft(a, at.shift, width), limbs: at.limbs}
	for r.x[r.zeros] == 0 {
		r.zeros++
	}
	return r
}

// top returns x rounded down to n limbs after the point, without the zeros at
// the bottom, of which there are as many as the second result says.
func (r *rooter) top(n int) (x []uint64, zeros int) {
	cut := len(r.x) - n
	if r.zeros >= cut {
		return r.x[r.zeros:], r.zeros - cut
	}
	return r.x[cut:], 0
}

// root returns the root with limbs+1 limbs after the point.
func (r *rooter) root(ctx context.Context) ([]uint64, error) {
	m := r.limbs/2 + 1
	y, err := r.inverse(ctx, m)
	if err != nil {
		return nil, err
	}
	plan, fy, err := r.transform(ctx, y, 2*m+2)
	if err != nil {
		return nil, err
	}
	defer fy.Release()
	// s = x·y, right to m limbs.
	x, zeros := r.top(m + 1)
	s, err := r.times(ctx, plan, fy, y, x)
	if err != nil {
		return nil, err
	}
	s = s[min(len(s), m+1-zeros):]
	r.stage("half root", s)
	// s += (x - s²)·y/2
	square, squareZeros := r.top(2 * m)
	if squareZeros > 0 {
		square = append(make([]uint64, squareZeros), square...)
	}
	rest, negative, err := r.distance(ctx, square, s, s, m+2, r.width)
	if err != nil {
		return nil, err
	}
	r.stage("half remainder", rest)
	p, err := r.times(ctx, plan, fy, y, rest)
	if err != nil {
		return nil, err
	}
	return r.correct(s, r.limbs+1-m, p, 3*m-(r.limbs+1), negative), nil
}

// inverse returns y = 1/√x with n limbs after the point, by the step
// y += y·(1 - x·y²)/2 from half the limbs.
func (r *rooter) inverse(ctx context.Context, n int) ([]uint64, error) {
	if n == 1 {
		return r.inverseWord(), nil
	}
	m := n/2 + 1
	if n == 2 {
		m = 1
	}
	y, err := r.inverse(ctx, m)
	if err != nil {
		return nil, err
	}
	plan, fy, err := r.transform(ctx, y, max(2*m+2, n+5))
	if err != nil {
		return nil, err
	}
	defer fy.Release()
	square, err := r.square(ctx, plan, fy, y)
	if err != nil {
		return nil, err
	}
	r.stage("inverse square", square)
	// h = 1 - x·y² with n+1+2m-zeros limbs after the point
	x, zeros := r.top(n + 1)
	one := make([]uint64, n+2+2*m-zeros)
	one[len(one)-1] = 1
	h, negative, err := r.distance(ctx, one, x, square, n+m+3-zeros, r.width)
	if err != nil {
		return nil, err
	}
	h = h[min(len(h), 2*m-zeros):] // n+1 limbs are enough
	r.stage("inverse remainder", h)
	p, err := r.times(ctx, plan, fy, y, h)
	if err != nil {
		return nil, err
	}
	r.work += 8 * float64(n)
	r.report(min(1, r.work/(15*float64(r.limbs))))
	y = r.correct(y, n-m, p, m+1, negative)
	r.stage("inverse", y)
	return y, nil
}

// inverseWord returns 1/√x to one limb, from a floating-point root.
func (r *rooter) inverseWord() []uint64 {
	base := float64(r.base)
	n := len(r.x)
	x := float64(r.x[n-1])/base + float64(r.x[n-2])/base/base
	y := uint64(base / math.Sqrt(x))
	return trim([]uint64{y % r.base, y / r.base})
}

// schoolbookProduct is the number of limbs of a product below which rooter
// does not use the transform.
const schoolbookProduct = 48

// transform returns a plan for products of y of so many limbs, and y's
// transform. For short products there is neither.
func (r *rooter) transform(ctx context.Context, y []uint64, limbs int) (*ntt.Plan, *ntt.Vector, error) {
	if limbs <= schoolbookProduct {
		return nil, new(ntt.Vector), nil
	}
	plan, err := r.ntt().NewPlan(ntt.Shape{Limbs: limbs, Radix: r.base, Threads: r.Threads})
	if err != nil {
		return nil, nil, err
	}
	v := plan.NewVector()
	if err := plan.Forward(ctx, v, y); err != nil {
		v.Release()
		return nil, nil, err
	}
	return plan, v, nil
}

// square returns y².
func (r *rooter) square(ctx context.Context, plan *ntt.Plan, fy *ntt.Vector, y []uint64) ([]uint64, error) {
	z := make([]uint64, 2*len(y))
	if plan == nil {
		sqrColumns(z, y, r.base)
		return trim(z), nil
	}
	v := plan.NewVector()
	defer v.Release()
	if err := plan.Sqr(ctx, v, fy); err != nil {
		return nil, err
	}
	if err := plan.Inverse(ctx, z, v); err != nil {
		return nil, err
	}
	return trim(z), nil
}

// times returns y*a.
func (r *rooter) times(ctx context.Context, plan *ntt.Plan, fy *ntt.Vector, y, a []uint64) ([]uint64, error) {
	if len(a) == 0 {
		return nil, nil
	}
	z := make([]uint64, len(y)+len(a))
	switch {
	case len(a) == 1:
		z[len(y)] = mulWord(z, y, a[0], 0, r.base)
		return trim(z), nil
	case plan == nil:
		mulColumns(z, y, a, r.base)
		return trim(z), nil
	case len(z) > plan.Points():
		return nil, ErrCorrupt // only a fault makes a that long
	}
	v := plan.NewVector()
	defer v.Release()
	if err := plan.Forward(ctx, v, a); err != nil {
		return nil, err
	}
	if err := plan.Mul(ctx, v, v, fy); err != nil {
		return nil, err
	}
	if err := plan.Inverse(ctx, z, v); err != nil {
		return nil, err
	}
	return trim(z), nil
}

// correct returns y·base^up ± p/base^down/2.
func (r *rooter) correct(y []uint64, up int, p []uint64, down int, negative bool) []uint64 {
	p = p[min(len(p), down):]
	divWord(p, p, 2, 0, r.base)
	z := make([]uint64, max(len(y)+up, len(p))+1)
	copy(z[up:], y)
	if negative {
		subLimbs(z, z, p, r.base)
	} else {
		addLimbs(z, z, p, r.base)
	}
	return trim(z)
}
