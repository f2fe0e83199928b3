package decimal

import (
	"context"
	"math/bits"
	"slices"

	"github.com/seed-649d3d38/heddle/decimal/internal/ntt"
)

// distance returns |target - a*b| and whether it is negative, for a product
// that is close to its target: the difference must be below base^(need-1); it
// fails with ErrCorrupt if it is found not to be.
//
// So the product is needed modulo base^n - 1 for some n >= need only, which
// takes a transform of n points: the high half of the product wraps around
// onto the low half and cancels against the target there. If no such n is
// shorter than the product, all of it is computed.
func (c *Calculator) distance(ctx context.Context, target, a, b []uint64, need, width int) (z []uint64, negative bool, err error) {
	z, negative, err = c.difference(ctx, target, a, b, need, width)
	if err == nil && len(z) >= need {
		return nil, false, ErrCorrupt
	}
	return z, negative, err
}

// difference is distance without its last check.
func (c *Calculator) difference(ctx context.Context, target, a, b []uint64, need, width int) (z []uint64, negative bool, err error) {
	base := pow10[width]
	if len(a) == 0 || len(b) == 0 {
		return slices.Clone(target), false, nil
	}
	if width == width18 {
		return c.distanceShort(target, a, b, need, base)
	}
	if len(b) == 1 {
		a, b = b, a
	}
	if len(a) == 1 {
		z = make([]uint64, len(b)+1)
		z[len(b)] = mulWord(z, b, a[0], 0, base)
		z, negative = subAbs(target, trim(z), base)
		return z, negative, nil
	}
	cyclic := 1 << bits.Len(uint(max(need, len(a), len(b))-1))
	if cyclic >= (len(a)+len(b))*7/8 {
		z = make([]uint64, len(a)+len(b))
		if err := c.multiply(ctx, z, a, b, width); err != nil {
			return nil, false, err
		}
		z, negative = subAbs(target, trim(z), base)
		return z, negative, nil
	}
	plan, err := c.ntt().NewPlan(ntt.Shape{Limbs: cyclic, Short: min(len(a), len(b)), Radix: base, Cyclic: true, Threads: c.Threads})
	if err != nil {
		return nil, false, err
	}
	z = make([]uint64, plan.Points())
	if len(a) == len(b) && &a[0] == &b[0] {
		err = plan.Square(ctx, z, a)
	} else {
		err = plan.Product(ctx, z, a, b)
	}
	if err != nil {
		return nil, false, err
	}
	z, negative = subWrapped(target, z, base)
	return z, negative, nil
}

// distanceShort is distance for a square of a short number.
func (c *Calculator) distanceShort(target, a, b []uint64, need int, base uint64) ([]uint64, bool, error) {
	z := make([]uint64, min(need, len(a)+len(b)))
	sqrColumns(z, a, base)
	low := make([]uint64, need)
	copy(low, target)
	subLimbs(low, low, z, base)
	if low[need-1] < base/2 {
		return trim(low), false, nil
	}
	subLimbs(low, make([]uint64, need), low, base)
	return trim(low), true, nil
}

// subWrapped returns |target - z| modulo base^len(z) - 1, taking the
// difference of the smaller magnitude. It overwrites z.
func subWrapped(target, z []uint64, base uint64) ([]uint64, bool) {
	n := len(z)
	folded := make([]uint64, n)
	copy(folded, target)
	for len(target) > n { // base^n is 1
		target = target[n:]
		part := target[:min(n, len(target))]
		if addLimbs(folded, folded, part, base) != 0 {
			addWord(folded, 1, base)
		}
	}
	if subLimbs(z, folded, z, base) != 0 {
		subWord(z, 1, base)
	}
	if z[n-1] < base/2 {
		return trim(z), false
	}
	for i, v := range z { // base^n - 1 - z
		z[i] = base - 1 - v
	}
	return trim(z), true
}
