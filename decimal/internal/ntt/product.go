package ntt

import (
	"context"
	"fmt"
)

// The functions of this file do what the single steps do, but each prime goes all
// the way from limbs to residues without waiting for the other, and each part of the
// vectors that fits the cache goes all the way from the first pass to the last.

// Product sets z to the product of a and b modulo radix^len(z) (see Inverse for
// cyclic plans). z may be a or b. It returns an error when an operand or the product
// is too long for the plan, and when ctx ends.
func (p *Plan) Product(ctx context.Context, z, a, b []uint64) error {
	if err := p.fits("product", z, max(len(a), len(b)), min(len(a), len(b)), len(a)+len(b)); err != nil {
		return err
	}
	x := p.NewVector()
	defer x.Release()
	err := p.both(ctx, "product", func(ctx context.Context, i int, c *course) {
		second := c.pool.get(c.points) // on one thread, the same for both primes
		defer c.pool.put(second)
		x, y := x.data[i], second.words[:c.points]
		c.place(ctx, x, a)
		c.place(ctx, y, b)
		c.weave(ctx, weaving{
			forward: [][]uint64{x, y},
			point:   func(lo, hi int) { c.times(c.modulus, x[lo:hi], x[lo:hi], y[lo:hi]) },
			inverse: [][]uint64{x},
		})
		c.mergeAll(ctx, x)
	})
	if err != nil {
		return err
	}
	return p.compose(ctx, p.double, z, x)
}

// Square sets z to the square of a modulo radix^len(z). z may be a. Errors are those
// of Product.
func (p *Plan) Square(ctx context.Context, z, a []uint64) error {
	if err := p.fits("square", z, len(a), len(a), 2*len(a)); err != nil {
		return err
	}
	x := p.NewVector()
	defer x.Release()
	err := p.both(ctx, "square", func(ctx context.Context, i int, c *course) {
		x := x.data[i]
		c.place(ctx, x, a)
		c.weave(ctx, weaving{
			forward: [][]uint64{x},
			point:   func(lo, hi int) { c.square(c.modulus, x[lo:hi], x[lo:hi]) },
			inverse: [][]uint64{x},
		})
		c.mergeAll(ctx, x)
	})
	if err != nil {
		return err
	}
	return p.compose(ctx, p.double, z, x)
}

// FibPair takes F(k) and F(k-1) and sets even to F(2k) and odd to F(2k-1), both
// modulo radix to the power of their length. A nil result is not computed. The
// results may overlap the operands. It returns an error when an operand or a result
// is too long for the plan, when three terms exceed its bound, and when ctx ends.
func (p *Plan) FibPair(ctx context.Context, even, odd, this, previous []uint64) error {
	n := max(len(this), len(previous))
	for _, z := range [][]uint64{even, odd} {
		if z == nil {
			continue
		}
		if err := p.fits("fibonacci pair", z, n, 3*n, 2*n); err != nil {
			return err
		}
	}
	x, y := p.NewVector(), p.NewVector()
	defer x.Release()
	defer y.Release()
	err := p.both(ctx, "fibonacci pair", func(ctx context.Context, i int, c *course) {
		x, y := x.data[i], y.data[i]
		c.place(ctx, x, this)
		c.place(ctx, y, previous)
		var wanted [][]uint64
		if even != nil {
			wanted = append(wanted, x)
		}
		if odd != nil {
			wanted = append(wanted, y)
		}
		c.weave(ctx, weaving{
			forward: [][]uint64{x, y},
			point:   func(lo, hi int) { c.fib(c.modulus, x[lo:hi], y[lo:hi]) },
			inverse: wanted,
		})
		for _, d := range wanted {
			c.mergeAll(ctx, d)
		}
	})
	if err == nil && even != nil {
		err = p.compose(ctx, p.double, even, x)
	}
	if err == nil && odd != nil {
		err = p.compose(ctx, p.double, odd, y)
	}
	return err
}

// fits returns an error when a product with operands of at most longest limbs, a sum
// of weight products of limbs in a coefficient, and the given number of limbs in all,
// is not for this plan or z.
func (p *Plan) fits(operation string, z []uint64, longest, weight, limbs int) error {
	if longest > p.Points() {
		return fmt.Errorf("%s: %d limbs, the plan has %d points", operation, longest, p.Points())
	}
	if _, err := p.productOf(weight, limbs); err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return p.fitsResult(operation, z)
}

// fitsResult returns an error when z is not the length of a cyclic result.
func (p *Plan) fitsResult(operation string, z []uint64) error {
	if p.cyclic && len(z) != p.Points() {
		return fmt.Errorf("%s: %d limbs for a cyclic plan of %d", operation, len(z), p.Points())
	}
	return nil
}
