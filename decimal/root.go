package decimal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/seed-649d3d38/heddle/decimal/internal/pages"
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
	digits *= 2
	if p.Sign() == 0 {
		return rounded{}, nil
	}
	if p.Digits()+digits > 2*maxShort11*width11 {
		return rounded{}, ErrTooLarge
	}
	width := rootWidth(p.Digits() + digits)
	a := scaled(p, digits, width)
	var t uint64
	if word != 1 {
		var err error
		if a, t, err = a.quotient(ctx, word, width); err != nil {
			return rounded{}, err
		}
	}
	var out rounded
	err := c.floorRoot(ctx, a, width, func(root, rest []uint64) {
		out.root = copyInt(ctx, root, width)
		if len(rest) > 0 || t > 0 {
			out.rest = 1
		}
		if out.half = compareLimbs(rest, root); out.half == 0 {
			out.half = compareQuarter(t, word)
		}
	})
	return out, err
}

// compareQuarter compares t/q with 1/4.
func compareQuarter(t, q uint64) int {
	high, low := bits.Mul64(t, 4)
	if high != 0 {
		return 1
	}
	return cmp.Compare(low, q)
}

// scaled returns p·10^digits in a width.
func scaled(p Int, digits, width int) shifted {
	a := p.in(width)
	z := pages.Words(len(a) + 1)
	z[len(a)] = shiftPart(z, a, digits%width, width)
	t := compact(trim(z))
	t.zeros += digits / width
	return t
}

// quotient returns a/q, rounded down, and the remainder.
func (t shifted) quotient(ctx context.Context, q uint64, width int) (shifted, uint64, error) {
	z := pages.Undefined(ctx, t.length())
	clear(z[:t.zeros])
	copy(z[t.zeros:], t.limbs)
	var remainder uint64
	for high := len(z); high > 0; high = max(0, high-blockLength) {
		if err := ctx.Err(); err != nil {
			return shifted{}, 0, err
		}
		part := z[max(0, high-blockLength):high]
		remainder = divWord(part, part, q, remainder, pow10[width])
	}
	return compact(trim(z)), remainder, nil
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
	n := wanted/width + 2
	w := c.newWorkspace(9*max(n, at.limbs) + 64)
	defer w.release()
	r := newRooter(c, w, compact(product.in(width)), at, width)
	y, err := r.inverse(ctx, n)
	if err != nil {
		return Int{}, err
	}
	// √(pq) = √x·base^limbs·10^(-shift/2), and y has n limbs after the point.
	s, err := c.Mul(ctx, p, copyInt(ctx, y, width))
	if err != nil {
		return Int{}, err
	}
	cut := width*(at.limbs+n) - digits - at.shift/2
	return newInt(shiftRight(pages.Clone(ctx, s.limbs), cut, s.width), s.width, false), nil
}
