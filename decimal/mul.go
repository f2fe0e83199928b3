package decimal

import (
	"context"
	"fmt"

	"github.com/seed-649d3d38/heddle/decimal/internal/ntt"
	"github.com/seed-649d3d38/heddle/decimal/internal/pages"
)

const (
	// schoolbookShort is the number of width18 limbs of the shorter factor up
	// to which the schoolbook product is faster than the transform.
	schoolbookShort = 24
	// schoolbookLong bounds the longer factor of such a product; beyond it the
	// transform costs no more, and can be interrupted.
	schoolbookLong = 4096
)

// maxShort12 and maxShort11 are the most limbs that the shorter factor of a
// transformed product may have in a width; see [ntt.Shape].
const (
	maxShort12 = 1_266_851
	maxShort11 = 126_000_000
)

// Mul returns x * y. It fails with the context's error, with ErrTooLarge if
// both factors have more than 1.3·10^9 digits, or with ErrCorrupt.
func (c *Calculator) Mul(ctx context.Context, x, y Int) (Int, error) {
	z, err := c.product(ctx, x, y)
	if err != nil {
		return Int{}, fmt.Errorf("product: %w", err)
	}
	z.negative = x.negative != y.negative && len(z.limbs) > 0
	return z, nil
}

// Sqr returns x²; its errors are those of Mul.
func (c *Calculator) Sqr(ctx context.Context, x Int) (Int, error) {
	z, err := c.product(ctx, x, x)
	if err != nil {
		return Int{}, fmt.Errorf("square: %w", err)
	}
	return z, nil
}

// product returns |x| * |y|, checked.
func (c *Calculator) product(ctx context.Context, x, y Int) (Int, error) {
	if err := ctx.Err(); err != nil {
		return Int{}, err
	}
	if x.Sign() == 0 || y.Sign() == 0 {
		return Int{}, nil
	}
	short, long := x.Digits(), y.Digits()
	if short > long {
		short, long = long, short
	}
	width := width18
	switch {
	case short <= schoolbookShort*width18 && long <= schoolbookLong*width18:
	case short <= maxShort12*width12:
		width = width12
	case short <= maxShort11*width11:
		width = width11
	default:
		return Int{}, ErrTooLarge
	}
	a, b := x.in(width), y.in(width)
	z := pages.Undefined(ctx, len(a)+len(b))
	if err := c.multiply(ctx, z, a, b, width); err != nil {
		return Int{}, err
	}
	c.stage("product", z)
	proved := provesProduct(ctx, z, a, b, width)
	if err := ctx.Err(); err != nil {
		return Int{}, err
	}
	if !proved {
		return Int{}, ErrCorrupt
	}
	return newInt(z, width, false), nil
}

// multiply sets z = a * b modulo base^len(z), unchecked: by the schoolbook for
// width18, by the transform otherwise.
func (c *Calculator) multiply(ctx context.Context, z, a, b []uint64, width int) error {
	square := sameLimbs(a, b)
	if width == width18 {
		if square {
			sqrColumns(z, a, pow10[width])
		} else {
			mulColumns(z, a, b, pow10[width])
		}
		return nil
	}
	plan, err := c.ntt().NewPlan(ntt.Shape{
		Limbs: len(a) + len(b), Short: min(len(a), len(b)), Radix: pow10[width], Threads: c.Threads})
	if err != nil {
		return err
	}
	if square {
		return plan.Square(ctx, z, a)
	}
	return plan.Product(ctx, z, a, b)
}

// provesProduct reports whether z = a * b, as far as a random prime can tell. It
// means nothing once ctx has ended.
func provesProduct(ctx context.Context, z, a, b []uint64, width int) bool {
	f := randomPrime()
	x, _ := f.residue(ctx, a, width)
	y, _ := f.residue(ctx, b, width)
	r, sound := f.residue(ctx, z, width)
	return sound && r == f.product(x, y)
}
