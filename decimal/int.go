package decimal

import (
	"cmp"
	"context"
	"math/big"
	"math/bits"

	"github.com/seed-649d3d38/heddle/decimal/internal/pages"
)

// Int is an immutable integer of any size, held as decimal limbs. The zero
// value is 0. Ints may be copied and used by any number of goroutines. Two
// Ints that are equal hold the same limbs; Ints are compared with Cmp, not ==.
type Int struct {
	limbs    []uint64 // little-endian, without zeros at the top
	width    int      // digits in a limb; follows from the value, see widthFor
	negative bool     // never set for 0
}

// newInt takes over limbs of the given width and stores them in the width that
// belongs to the value.
func newInt(limbs []uint64, width int, negative bool) Int {
	limbs = trim(limbs)
	if len(limbs) == 0 {
		return Int{}
	}
	if w := widthFor(digitsOf(limbs, width)); w != width {
		limbs, width = repack(limbs, width, w), w
	}
	return Int{limbs: limbs, width: width, negative: negative}
}

// copyInt is newInt for limbs of a number that is not negative and somebody else's. The
// result is undefined if ctx ends before it is made.
func copyInt(ctx context.Context, limbs []uint64, width int) Int {
	limbs = trim(limbs)
	if widthFor(digitsOf(limbs, width)) == width {
		limbs = pages.Clone(ctx, limbs)
	} // else newInt copies them
	return newInt(limbs, width, false)
}

// FromInt64 returns v.
func FromInt64(v int64) Int {
	if v < 0 {
		return FromUint64(-uint64(v)).Neg()
	}
	return FromUint64(uint64(v))
}

// FromUint64 returns v.
func FromUint64(v uint64) Int {
	if v < 1e18 {
		return newInt([]uint64{v}, width18, false)
	}
	return Int{limbs: []uint64{v % 1e18, v / 1e18}, width: width18}
}

// FromBig returns v. It converts radix, which no other part of this package
// does: the time grows faster than linearly, about 0.3 s for a million digits.
func FromBig(v *big.Int) Int {
	x, err := Parse(v.String())
	if err != nil { // unreachable: big.Int writes plain decimal digits
		panic(err)
	}
	return x
}

// Sign returns -1, 0 or 1.
func (x Int) Sign() int {
	switch {
	case len(x.limbs) == 0:
		return 0
	case x.negative:
		return -1
	default:
		return 1
	}
}

// Digits returns the number of digits that String writes, the sign not
// counted: 1 for 0.
func (x Int) Digits() int { return max(1, digitsOf(x.limbs, x.width)) }

// Memory returns the number of bytes that x holds.
func (x Int) Memory() int64 { return 8 * int64(cap(x.limbs)) }

// Neg returns -x.
func (x Int) Neg() Int {
	x.negative = !x.negative && len(x.limbs) > 0
	return x
}

// Abs returns |x|.
func (x Int) Abs() Int {
	x.negative = false
	return x
}

// Cmp returns -1, 0 or 1 as x is less than, equal to or greater than y.
func (x Int) Cmp(y Int) int {
	if x.Sign() != y.Sign() || x.Sign() == 0 {
		return cmp.Compare(x.Sign(), y.Sign())
	}
	return x.Sign() * x.cmpAbs(y)
}

// cmpAbs compares |x| and |y|.
func (x Int) cmpAbs(y Int) int {
	if x.width != y.width { // then the number of digits differs, too
		return cmp.Compare(digitsOf(x.limbs, x.width), digitsOf(y.limbs, y.width))
	}
	return compareLimbs(x.limbs, y.limbs)
}

// Add returns x + y.
func (x Int) Add(y Int) Int {
	if x.negative != y.negative {
		return x.difference(y, x.negative)
	}
	if len(x.limbs) == 0 {
		return y
	}
	if x.cmpAbs(y) < 0 {
		x, y = y, x
	}
	base := pow10[x.width]
	z := pages.Words(len(x.limbs) + 1)
	z[len(x.limbs)] = addLimbs(z, x.limbs, y.in(x.width), base)
	return newInt(z, x.width, x.negative)
}

// Sub returns x - y.
func (x Int) Sub(y Int) Int { return x.Add(y.Neg()) }

// difference returns |x| - |y|, or its opposite if negated.
func (x Int) difference(y Int, negated bool) Int {
	if x.cmpAbs(y) < 0 {
		x, y, negated = y, x, !negated
	}
	if len(x.limbs) == 0 {
		return Int{}
	}
	z := pages.Words(len(x.limbs))
	subLimbs(z, x.limbs, y.in(x.width), pow10[x.width])
	return newInt(z, x.width, negated)
}

// in returns the limbs of |x| in another width. The caller must not change
// them: they may be x's own.
func (x Int) in(width int) []uint64 {
	if len(x.limbs) == 0 {
		return nil
	}
	return repack(x.limbs, x.width, width)
}

// Uint64 returns x and whether it fits.
func (x Int) Uint64() (v uint64, ok bool) {
	switch {
	case len(x.limbs) == 0:
		return 0, true
	case x.negative || len(x.limbs) > 2:
		return 0, false
	case len(x.limbs) == 1:
		return x.limbs[0], true
	}
	high, low := bits.Mul64(x.limbs[1], 1e18)
	v, carry := bits.Add64(low, x.limbs[0], 0)
	if high+carry != 0 {
		return 0, false
	}
	return v, true
}

// Int64 returns x and whether it fits.
func (x Int) Int64() (v int64, ok bool) {
	u, ok := x.Abs().Uint64()
	switch {
	case !ok || u > 1<<63 || u == 1<<63 && !x.negative:
		return 0, false
	case x.negative:
		return -int64(u), true
	default:
		return int64(u), true
	}
}

// Big returns x as a big.Int. It converts radix; the time grows like that of
// big.Int's multiplication.
func (x Int) Big() *big.Int {
	z := bigOf(x.limbs, powersOfBase(x.width, len(x.limbs)))
	if x.negative {
		z.Neg(z)
	}
	return z
}

// powersOfBase returns base^(2^k) for every 2^k below limbs.
func powersOfBase(width, limbs int) []*big.Int {
	var powers []*big.Int
	p := new(big.Int).SetUint64(pow10[max(width, 1)])
	for n := 1; n < limbs; n *= 2 {
		powers = append(powers, p)
		p = new(big.Int).Mul(p, p)
	}
	return powers
}

// bigOf converts by halves, so that big multiplications do the work.
func bigOf(limbs []uint64, powers []*big.Int) *big.Int {
	if len(limbs) == 0 {
		return new(big.Int)
	}
	if len(limbs) == 1 {
		return new(big.Int).SetUint64(limbs[0])
	}
	k := bits.Len(uint(len(limbs)-1)) - 1
	z := bigOf(limbs[1<<k:], powers)
	z.Mul(z, powers[k])
	return z.Add(z, bigOf(limbs[:1<<k], powers))
}
