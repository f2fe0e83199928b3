package ntt

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Vector is a transformed number, or a sum of products of two such, under both
// primes. It belongs to the plan that made it and is for one goroutine at a time.
// Its content is undefined before the first operation and after one that
// returned an error.
type Vector struct {
	plan   *Plan
	owned  [2]*buffer
	data   [2][]uint64
	limbs  int // an upper bound of the limbs of the value
	degree int // 1 for a number, 2 for a sum of products, 0 when undefined
	weight int // how many numbers, or products of limbs in a coefficient, are summed
}

// NewVector returns a vector of undefined content. Release must be called when it is
// no longer needed: its memory may lie outside the reach of the garbage collector.
func (p *Plan) NewVector() *Vector {
	v := &Vector{plan: p}
	for i := range v.data {
		v.owned[i] = p.engine.pool.get(p.Points())
		v.data[i] = v.owned[i].words[:p.Points()]
	}
	return v
}

// Release gives the vector's buffers back to the engine. The vector must not be
// used afterwards; a second Release does nothing.
func (v *Vector) Release() {
	if v.plan == nil {
		return
	}
	for i := range v.data {
		v.plan.engine.pool.put(v.owned[i])
	}
	*v = Vector{}
}

// errForeign is returned for vectors of another plan and for released ones.
var errForeign = errors.New("a vector does not belong to this plan")

// errDegree is returned for operands that no further product may be made of.
var errDegree = errors.New("an operand is undefined or of the wrong degree: only transformed numbers are multiplied, only equals are added")

// errBound is returned when a sum could exceed the product of the primes.
var errBound = errors.New("the sum may exceed the product of the primes")

// owns returns an error unless all vectors belong to p.
func (p *Plan) owns(vs ...*Vector) error {
	for _, v := range vs {
		if v.plan != p {
			return errForeign
		}
	}
	return nil
}

// both runs fn once for each prime, at the same time if the plan says so, and
// waits for both.
func (p *Plan) both(ctx context.Context, operation string, fn func(ctx context.Context, i int, c *course)) error {
	if p.threads == 1 {
		fn(ctx, 0, p.courses[0])
		fn(ctx, 1, p.courses[1])
		return stopCause(ctx, operation)
	}
	var wg sync.WaitGroup
	wg.Go(func() { fn(ctx, 1, p.courses[1]) })
	fn(ctx, 0, p.courses[0])
	wg.Wait()
	return stopCause(ctx, operation)
}

// Forward sets v to the transform of the number in limbs, which must all be below
// the radix and not more than the plan's points. It returns an error for too many
// limbs, for a foreign vector, and when ctx ends.
func (p *Plan) Forward(ctx context.Context, v *Vector, limbs []uint64) error {
	if err := p.owns(v); err != nil {
		return fmt.Errorf("forward: %w", err)
	}
	if len(limbs) > p.Points() {
		return fmt.Errorf("forward: %d limbs, the plan has %d points", len(limbs), p.Points())
	}
	v.degree = 0
	err := p.both(ctx, "forward", func(ctx context.Context, i int, c *course) { c.forward(ctx, v.data[i], limbs) })
	if err != nil {
		return err
	}
	v.limbs, v.degree, v.weight = len(limbs), 1, 1
	return nil
}

// productOf describes a sum of products of the given weight and number of limbs,
// and returns an error when it may not be formed.
func (p *Plan) productOf(weight, limbs int) (Vector, error) {
	if weight > p.capacity {
		return Vector{}, errBound
	}
	if !p.cyclic && limbs-1 > p.Points() {
		return Vector{}, fmt.Errorf("the product has %d limbs, the plan has %d points", limbs, p.Points())
	}
	return Vector{limbs: limbs, degree: 2, weight: weight}, nil
}

// Mul sets dst to the product of a and b, both transformed numbers (or sums of
// such). dst may be one of them. It returns an error when the product is longer
// than the plan allows or when ctx ends.
func (p *Plan) Mul(ctx context.Context, dst, a, b *Vector) error {
	if err := p.owns(dst, a, b); err != nil {
		return fmt.Errorf("mul: %w", err)
	}
	if a.degree != 1 || b.degree != 1 {
		return fmt.Errorf("mul: %w", errDegree)
	}
	r, err := p.productOf(a.weight*b.weight*min(a.limbs, b.limbs), a.limbs+b.limbs)
	if err != nil {
		return fmt.Errorf("mul: %w", err)
	}
	err = p.both(ctx, "mul", func(ctx context.Context, i int, c *course) {
		inBlocks(ctx, c.points, func(lo, hi int) {
			c.times(c.modulus, dst.data[i][lo:hi], a.data[i][lo:hi], b.data[i][lo:hi])
		})
	})
	dst.set(r, err)
	return err
}

// Sqr sets dst to the square of a; dst may be a. Errors are those of Mul.
func (p *Plan) Sqr(ctx context.Context, dst, a *Vector) error {
	if err := p.owns(dst, a); err != nil {
		return fmt.Errorf("sqr: %w", err)
	}
	if a.degree != 1 {
		return fmt.Errorf("sqr: %w", errDegree)
	}
	r, err := p.productOf(a.weight*a.weight*a.limbs, 2*a.limbs)
	if err != nil {
		return fmt.Errorf("sqr: %w", err)
	}
	err = p.both(ctx, "sqr", func(ctx context.Context, i int, c *course) {
		inBlocks(ctx, c.points, func(lo, hi int) { c.square(c.modulus, dst.data[i][lo:hi], a.data[i][lo:hi]) })
	})
	dst.set(r, err)
	return err
}

// Add sets dst to a + b, both numbers or both sums of products; dst may be one of
// them. It returns an error when they differ in kind, when the sum could exceed
// the product of the primes, and when ctx ends.
func (p *Plan) Add(ctx context.Context, dst, a, b *Vector) error {
	if err := p.owns(dst, a, b); err != nil {
		return fmt.Errorf("add: %w", err)
	}
	if a.degree == 0 || a.degree != b.degree {
		return fmt.Errorf("add: %w", errDegree)
	}
	r := Vector{limbs: max(a.limbs, b.limbs), degree: a.degree, weight: a.weight + b.weight}
	if r.weight > p.capacity {
		return fmt.Errorf("add: %w", errBound)
	}
	err := p.both(ctx, "add", func(ctx context.Context, i int, c *course) {
		inBlocks(ctx, c.points, func(lo, hi int) {
			c.add(c.modulus, dst.data[i][lo:hi], a.data[i][lo:hi], b.data[i][lo:hi])
		})
	})
	dst.set(r, err)
	return err
}

// FibDouble takes the transforms x of F(k) and y of F(k-1) and sets them to
// F(2k) = F(k)·(F(k) + 2F(k-1)) and F(2k-1) = F(k)² + F(k-1)². It returns an error
// when the plan is too short or has not three terms, and when ctx ends.
func (p *Plan) FibDouble(ctx context.Context, x, y *Vector) error {
	if err := p.owns(x, y); err != nil {
		return fmt.Errorf("fibonacci doubling: %w", err)
	}
	if x.degree != 1 || y.degree != 1 || x.weight != 1 || y.weight != 1 {
		return fmt.Errorf("fibonacci doubling: %w", errDegree)
	}
	n := max(x.limbs, y.limbs)
	r, err := p.productOf(3*n, 2*n)
	if err != nil {
		return fmt.Errorf("fibonacci doubling: %w", err)
	}
	err = p.both(ctx, "fibonacci doubling", func(ctx context.Context, i int, c *course) {
		inBlocks(ctx, c.points, func(lo, hi int) { c.fib(c.modulus, x.data[i][lo:hi], y.data[i][lo:hi]) })
	})
	x.set(r, err)
	y.set(r, err)
	return err
}

// set gives v the description r, or makes it undefined after an error.
func (v *Vector) set(r Vector, err error) {
	if err != nil {
		r = Vector{}
	}
	v.limbs, v.degree, v.weight = r.limbs, r.degree, r.weight
}

// Inverse sets z to the value of v modulo radix^len(z), fully normalised. For a
// cyclic plan z must have exactly Points limbs and receives the value modulo
// radix^len(z) - 1 (zero may appear as all limbs radix-1). The content of v is
// used up. It returns an error for an undefined v and when ctx ends.
func (p *Plan) Inverse(ctx context.Context, z []uint64, v *Vector) error {
	if err := p.owns(v); err != nil {
		return fmt.Errorf("inverse: %w", err)
	}
	if v.degree == 0 {
		return fmt.Errorf("inverse: %w", errDegree)
	}
	if err := p.fitsResult("inverse", z); err != nil {
		return err
	}
	product := v.degree == 2
	v.degree = 0
	err := p.both(ctx, "inverse", func(ctx context.Context, i int, c *course) {
		if !product { // forward steps leave residues below 4p, the inverse wants 2p
			one := c.kernel.factor(c.modulus, 1)
			inBlocks(ctx, c.points, func(lo, hi int) { c.scale(c.modulus, v.data[i][lo:hi], v.data[i][lo:hi], one) })
		}
		c.inverse(ctx, v.data[i])
	})
	if err != nil {
		return err
	}
	c := p.single
	if product {
		c = p.double
	}
	return p.compose(ctx, c, z, v)
}
