package decimal

import (
	"context"
	"math/bits"

	"github.com/seed-649d3d38/heddle/decimal/internal/ntt"
)

// distance returns |target - a*b| and whether it is negative, for a product
// that is close to its target: the difference must be below base^(need-1); it
// fails with ErrCorrupt if it is found not to be. The result is in w.
//
// So the product is needed modulo base^n - 1 for some n >= need only, which
// takes a transform of n points: the high half of the product wraps around
// onto the low half and cancels against the target there. If no such n is
// shorter than the product, all of it is computed.
func (c *Calculator) distance(ctx context.Context, w *workspace, target shifted, a, b []uint64, need, width int) (z []uint64, negative bool, err error) {
	base := pow10[width]
	cyclic := 1 << bits.Len(uint(max(need, len(a), len(b))-1))
	short := min(len(a), len(b))
	switch {
	case short <= schoolbookShort && len(a)+len(b) <= 2*schoolbookShort || short == 1:
		z = w.words(max(len(a)+len(b), target.length()))
		clear(z[len(a)+len(b):])
		multiplyShort(z[:len(a)+len(b)], a, b, base)
	case cyclic < (len(a)+len(b))*7/8:
		return c.distanceCyclic(ctx, w, target, a, b, need, width)
	default:
		z = w.words(max(len(a)+len(b), target.length()))
		clear(z[len(a)+len(b):])
		if err := c.multiply(ctx, z[:len(a)+len(b)], a, b, width); err != nil {
			return nil, false, err
		}
	}
	if negative = subtractShifted(z, target, base) == 0; !negative {
		negate(z, base)
	}
	return withinNeed(z, negative, need)
}

// distanceCyclic is distance for products that wrap around.
func (c *Calculator) distanceCyclic(ctx context.Context, w *workspace, target shifted, a, b []uint64, need, width int) (z []uint64, negative bool, err error) {
	base := pow10[width]
	plan, err := c.ntt().NewPlan(ntt.Shape{
		Limbs: max(need, len(a), len(b)), Short: min(len(a), len(b)), Radix: base, Cyclic: true, Threads: c.Threads})
	if err != nil {
		return nil, false, err
	}
	z = w.words(plan.Points())
	if sameLimbs(a, b) {
		err = plan.Square(ctx, z, a)
	} else {
		err = plan.Product(ctx, z, a, b)
	}
	if err != nil {
		return nil, false, err
	}
	subtractCyclic(z, target, base)
	if negative = z[len(z)-1] < base/2; !negative {
		for i, v := range z { // base^n - 1 - z
			z[i] = base - 1 - v
		}
	}
	return withinNeed(z, negative, need)
}

// distanceShort is distance for the square of a short number of width18: of
// its product, only the columns below need are computed.
func distanceShort(w *workspace, target shifted, a []uint64, need int) (z []uint64, negative bool, err error) {
	const base = 1e18
	z = w.words(need)
	n := min(need, 2*len(a))
	sqrColumns(z[:n], a, base)
	clear(z[n:])
	if target = target.below(need); len(target.limbs) > 0 {
		subtractShifted(z, target, base)
	}
	if negative = z[need-1] < base/2; !negative {
		negate(z, base)
	}
	return withinNeed(z, negative, need)
}

// withinNeed completes a distance.
func withinNeed(z []uint64, negative bool, need int) ([]uint64, bool, error) {
	z = trim(z)
	if len(z) >= need {
		return nil, false, ErrCorrupt
	}
	return z, negative && len(z) > 0, nil
}

// negate sets z = base^len(z) - z; 0 remains 0.
func negate(z []uint64, base uint64) {
	i := 0
	for i < len(z) && z[i] == 0 {
		i++
	}
	for j := i; j < len(z); j++ {
		z[j] = base - 1 - z[j]
	}
	if i < len(z) {
		z[i]++
	}
}

// sameLimbs reports whether a and b are one vector.
func sameLimbs(a, b []uint64) bool { return len(a) == len(b) && len(a) > 0 && &a[0] == &b[0] }

// multiplyShort sets z = a * b, len(z) = len(a) + len(b), by the schoolbook.
func multiplyShort(z, a, b []uint64, base uint64) {
	if len(a) < len(b) {
		a, b = b, a
	}
	switch {
	case len(b) == 0:
		clear(z)
	case len(b) == 1:
		z[len(a)] = mulWord(z, a, b[0], 0, base)
	case sameLimbs(a, b):
		sqrColumns(z, a, base)
	default:
		mulColumns(z, a, b, base)
	}
}
