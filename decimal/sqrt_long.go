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
func (c *Calculator) rootLong(ctx context.Context, w *workspace, a shifted, at alignment, width int) ([]uint64, error) {
	mark := w.used
	if err := c.ntt().Prepare(ctx, at.limbs); err != nil {
		return nil, err
	}
	s, err := newRooter(c, w, a, at, width).root(ctx)
	if err != nil {
		return nil, err
	}
	return w.keep(mark, shiftRight(s, width+at.shift/2, width)), nil
}

// rooter computes roots of x/base^(2 limbs), a number from 1/100 to 1. Numbers
// are fixed-point: those with n limbs after the point are integers times
// base^-n.
type rooter struct {
	*Calculator
	*workspace
	width int
	base  uint64
	x     shifted // of 2 limbs limbs
	limbs int
	work  float64 // points transformed so far, for the progress
}

// newRooter returns a rooter for a, shifted.
func newRooter(c *Calculator, w *workspace, a shifted, at alignment, width int) *rooter {
	x := w.words(len(a.limbs) + at.shift/width + 1)
	shiftLeftInto(x, a.limbs, at.shift, width)
	aligned := compact(trim(x))
	aligned.zeros += a.zeros
	return &rooter{Calculator: c, workspace: w, width: width, base: pow10[width], x: aligned, limbs: at.limbs}
}

// top returns x rounded down to n limbs after the point.
func (r *rooter) top(n int) shifted { return r.x.top(2*r.limbs - n) }

// root returns the root with limbs+1 limbs after the point.
func (r *rooter) root(ctx context.Context) ([]uint64, error) {
	m := r.limbs/2 + 1
	y, err := r.inverse(ctx, m)
	if err != nil {
		return nil, err
	}
	f, err := r.transform(ctx, y, 2*m+2)
	if err != nil {
		return nil, err
	}
	defer f.release()
	// s = x·y, right to m limbs.
	x := r.top(m + 1)
	s, err := f.times(ctx, x.limbs)
	if err != nil {
		return nil, err
	}
	s = s[min(len(s), m+1-x.zeros):]
	r.stage("half root", s)
	// s += (x - s²)·y/2
	rest, negative, err := r.distance(ctx, r.workspace, r.top(2*m), s, s, m+2, r.width)
	if err != nil {
		return nil, err
	}
	r.stage("half remainder", rest)
	p, err := f.times(ctx, rest)
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
	mark := r.used
	y, err := r.inverse(ctx, m)
	if err != nil {
		return nil, err
	}
	f, err := r.transform(ctx, y, max(2*m+2, n+5))
	if err != nil {
		return nil, err
	}
	defer f.release()
	square, err := f.square(ctx)
	if err != nil {
		return nil, err
	}
	r.stage("inverse square", square)
	// h = 1 - x·y² with n+1+2m-zeros limbs after the point
	x := r.top(n + 1)
	one := shifted{[]uint64{1}, n + 1 + 2*m - x.zeros}
	h, negative, err := r.distance(ctx, r.workspace, one, x.limbs, square, n+m+3-x.zeros, r.width)
	if err != nil {
		return nil, err
	}
	h = h[min(len(h), 2*m-x.zeros):] // n+1 limbs are enough
	r.stage("inverse remainder", h)
	p, err := f.times(ctx, h)
	if err != nil {
		return nil, err
	}
	r.work += 8 * float64(n)
	r.report(min(1, r.work/(15*float64(r.limbs))))
	y = r.keep(mark, r.correct(y, n-m, p, m+1, negative))
	r.stage("inverse", y)
	return y, nil
}

// inverseWord returns 1/√x to one limb, from a floating-point root.
func (r *rooter) inverseWord() []uint64 {
	top, base := r.top(2), float64(r.base)
	x := 0.0
	for i, v := range top.limbs {
		x += float64(v) * math.Pow(base, float64(i+top.zeros-2))
	}
	y := uint64(base / math.Sqrt(x))
	z := r.words(2)
	z[0], z[1] = y%r.base, y/r.base
	return trim(z)
}

// correct returns y·base^up ± p/base^down/2. It overwrites p.
func (r *rooter) correct(y []uint64, up int, p []uint64, down int, negative bool) []uint64 { //nolint:revive // a sign, not a mode
	p = p[min(len(p), down):]
	divWord(p, p, 2, 0, r.base)
	z := r.words(max(len(y)+up, len(p)) + 1)
	clear(z[:up])
	clear(z[up+copy(z[up:], y):])
	if negative {
		subLimbs(z, z, p, r.base)
	} else {
		addLimbs(z, z, p, r.base)
	}
	return trim(z)
}

// rootFactor is y, the inverse root so far, together with its transform, which
// two products of a step share. Short products need no transform.
type rootFactor struct {
	*rooter
	y    []uint64
	plan *ntt.Plan
	fy   *ntt.Vector
}

// schoolbookProduct is the number of limbs of a product below which a step
// does not use the transform.
const schoolbookProduct = 48

// transform returns y as a factor of products of so many limbs, to be released.
func (r *rooter) transform(ctx context.Context, y []uint64, limbs int) (*rootFactor, error) {
	f := &rootFactor{rooter: r, y: y}
	if limbs <= schoolbookProduct {
		return f, nil
	}
	plan, err := r.ntt().NewPlan(ntt.Shape{Limbs: limbs, Radix: r.base, Threads: r.Threads})
	if err != nil {
		return nil, err
	}
	f.plan, f.fy = plan, plan.NewVector()
	if err := plan.Forward(ctx, f.fy, y); err != nil {
		f.release()
		return nil, err
	}
	return f, nil
}

func (f *rootFactor) release() {
	if f.fy != nil {
		f.fy.Release()
	}
}

// square returns y².
func (f *rootFactor) square(ctx context.Context) ([]uint64, error) {
	z := f.words(2 * len(f.y))
	if f.plan == nil {
		multiplyShort(z, f.y, f.y, f.base)
		return trim(z), nil
	}
	v := f.plan.NewVector()
	defer v.Release()
	if err := f.plan.Sqr(ctx, v, f.fy); err != nil {
		return nil, err
	}
	if err := f.plan.Inverse(ctx, z, v); err != nil {
		return nil, err
	}
	return trim(z), nil
}

// times returns y*a.
func (f *rootFactor) times(ctx context.Context, a []uint64) ([]uint64, error) {
	z := f.words(len(f.y) + len(a))
	if f.plan == nil || len(a) <= 1 {
		multiplyShort(z, f.y, a, f.base)
		return trim(z), nil
	}
	if len(z) > f.plan.Points() {
		return nil, ErrCorrupt // only a fault makes a that long
	}
	v := f.plan.NewVector()
	defer v.Release()
	if err := f.plan.Forward(ctx, v, a); err != nil {
		return nil, err
	}
	if err := f.plan.Mul(ctx, v, v, f.fy); err != nil {
		return nil, err
	}
	if err := f.plan.Inverse(ctx, z, v); err != nil {
		return nil, err
	}
	return trim(z), nil
}
