package decimal

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// ErrZeroDenominator reports a rational number p/q with q = 0.
var ErrZeroDenominator = errors.New("decimal: denominator is zero")

// ErrDigits reports a negative number of digits.
var ErrDigits = errors.New("decimal: number of digits is negative")

// Root returns the square root of p/q, correctly rounded to so many digits
// after the point: the root is the first result divided by 10^digits, and exact
// tells whether that is the root itself.
//
// It fails with ErrZeroDenominator, ErrNegative, ErrDigits, an error for an
// unknown mode, the context's error, ErrTooLarge, or ErrCorrupt.
func (c *Calculator) Root(ctx context.Context, p, q Int, digits int, mode Rounding) (root Int, exact bool, err error) {
	root, exact, err = c.rationalRoot(ctx, p, q, digits, mode)
	if err != nil {
		return Int{}, false, fmt.Errorf("root of a rational: %w", err)
	}
	return root, exact, nil
}

func (c *Calculator) rationalRoot(ctx context.Context, p, q Int, digits int, mode Rounding) (root Int, exact bool, err error) {
	switch {
	case mode.validate() != nil:
		return Int{}, false, mode.validate()
	case digits < 0:
		return Int{}, false, ErrDigits
	case digits > math.MaxInt32:
		return Int{}, false, ErrTooLarge
	case q.Sign() == 0:
		return Int{}, false, ErrZeroDenominator
	case p.Sign()*q.Sign() < 0:
		return Int{}, false, ErrNegative
	}
	f, err := c.floorRational(ctx, p.Abs(), q.Abs(), digits)
	if err != nil {
		return Int{}, false, err
	}
	if f.rest == 0 {
		return f.root, true, nil
	}
	odd := len(f.root.limbs) > 0 && f.root.limbs[0]&1 == 1
	if mode.up(f.half, odd) {
		return f.root.Add(FromUint64(1)), false, nil
	}
	return f.root, false, nil
}

// rounded is a root rounded down and what the rounding needs to know.
type rounded struct {
	root Int
	rest int // 0 if the root is exact, 1 if not
	half int // compares the part cut off with one half
}

// floorRational returns the root of p/q, both positive, times 10^digits, rounded down.
//
// With x + t/q = 10^(2 digits) p/q, where t < q, and x = s² + r, the root is s,
// and it is exact if r and t are 0. As (s + 1/2)² = s² + s + 1/4, what is cut
// off is more than one half if r > s, less if r < s, and if r = s, the two
// compare as t/q and 1/4. A tie is possible for fractions only.
func (c *Calculator) floorRational(ctx context.Context, p, q Int, digits int) (rounded, error) {
	word, short := q.Uint64()
	if !short {
		return c.floorLongRational(ctx, p, q, digits)
	}
	x, t, err := scaleAndDivide(ctx, p, 2*digits, word)
	if err != nil {
		return rounded{}, err
	}
	f, err := c.floorRoot(ctx, x)
	if err != nil {
		return rounded{}, err
	}
	out := rounded{root: newInt(f.root, f.width, false)}
	if len(f.rest) > 0 || t > 0 {
		out.rest = 1
	}
	if out.half = compareLimbs(f.rest, f.root); out.half == 0 {
		four := FromUint64(4)
		quarter, err := c.Mul(ctx, four, FromUint64(t))
		if err != nil {
			return rounded{}, err
		}
		out.half = quarter.Cmp(q)
	}
	return out, nil
}

// scale returns p·10^digits.
func scale(p Int, digits int) (Int, error) {
	total := p.Digits() + digits
	if total > 2*maxShort11*width11 {
		return Int{}, ErrTooLarge
	}
	width := widthFor(total)
	return newInt(shiftLeft(p.in(width), digits, width), width, p.negative), nil
}

// scaleAndDivide returns p·10^digits / q, rounded down, and the remainder.
func scaleAndDivide(ctx context.Context, p Int, digits int, q uint64) (x Int, remainder uint64, err error) {
	x, err = scale(p, digits)
	if err != nil || q == 1 || x.Sign() == 0 {
		return x, 0, err
	}
	z := make([]uint64, len(x.limbs))
	for high := len(z); high > 0; high = max(0, high-blockLength) {
		if err := ctx.Err(); err != nil {
			return Int{}, 0, err
		}
		low := max(0, high-blockLength)
		remainder = divWord(z[low:high], x.limbs[low:high], q, remainder, pow10[x.width])
	}
	return newInt(z, x.width, false), remainder, nil
}

// floorLongRational is floorRational for a denominator beyond 64 bits. It takes
// the root as p/√(pq), and the rest is exact:
//
//	rest = 10^(2 digits) p - s² q, where 0 <= rest < (2s+1) q
func (c *Calculator) floorLongRational(ctx context.Context, p, q Int, digits int) (rounded, error) {
	target, err := scale(p, 2*digits)
	if err != nil {
		return rounded{}, err
	}
	s, err := c.approximateRoot(ctx, p, q, digits)
	if err != nil {
		return rounded{}, err
	}
	square, err := c.Sqr(ctx, s)
	if err != nil {
		return rounded{}, err
	}
	square, err = c.Mul(ctx, square, q)
	if err != nil {
		return rounded{}, err
	}
	rest, one := target.Sub(square), FromUint64(1)
	for range 4 {
		if rest.negative {
			s = s.Sub(one)
		}
		step, err := c.Mul(ctx, s.Add(s).Add(one), q)
		if err != nil {
			return rounded{}, err
		}
		switch {
		case rest.negative:
			rest = rest.Add(step)
		case rest.Cmp(step) >= 0:
			rest, s = rest.Sub(step), s.Add(one)
		default:
			// 4 rest against (4s + 1) q = 2 step - q
			double := rest.Add(rest)
			return rounded{s, rest.Sign(), double.Add(double).Cmp(step.Add(step).Sub(q))}, nil
		}
	}
	return rounded{}, ErrCorrupt
}

// approximateRoot returns √(p/q)·10^digits, right to a unit or two.
func (c *Calculator) approximateRoot(ctx context.Context, p, q Int, digits int) (Int, error) {
	product, err := c.Mul(ctx, p, q)
	if err != nil || product.Sign() == 0 {
		return Int{}, err
	}
	wanted := max(0, digits+(p.Digits()-q.Digits())/2+1)
	width := max(min(widthFor(2*max(wanted, product.Digits())), width12), width11)
	at := alignmentOf(product.Digits(), width)
	r := newRooter(c, product.in(width), at, width)
	n := wanted/width + 2
	y, err := r.inverse(ctx, n)
	if err != nil {
		return Int{}, err
	}
	// √(pq) = √x·base^limbs·10^(-shift/2), and y has n limbs after the point.
	s, err := c.Mul(ctx, p, newInt(y, width, false))
	if err != nil {
		return Int{}, err
	}
	cut := width*(at.limbs+n) - digits - at.shift/2
	return newInt(shiftRight(s.limbs, cut, s.width), s.width, false), nil
}
