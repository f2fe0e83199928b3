package decimal

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// ErrNegative reports the root of a negative number.
var ErrNegative = errors.New("decimal: root of a negative number")

// Sqrt returns the integer square root of x, rounded down, and the remainder
// x - root². It fails with ErrNegative, the context's error, ErrTooLarge if x
// has more than about 2·10^9 digits, or ErrCorrupt.
func (c *Calculator) Sqrt(ctx context.Context, x Int) (root, remainder Int, err error) {
	root, remainder, err = c.sqrt(ctx, x)
	if err != nil {
		return Int{}, Int{}, fmt.Errorf("square root: %w", err)
	}
	return root, remainder, nil
}

func (c *Calculator) sqrt(ctx context.Context, x Int) (root, remainder Int, err error) {
	if x.negative {
		return Int{}, Int{}, ErrNegative
	}
	width := rootWidth(x.Digits())
	err = c.floorRoot(ctx, compact(x.in(width)), width, func(s, rest []uint64) {
		root, remainder = copyInt(ctx, s, width), copyInt(ctx, rest, width)
	})
	return root, remainder, err
}

// rootWidth returns the width in which the root of a number of so many digits
// is computed.
func rootWidth(digits int) int {
	if digits <= maxShortRoot*2*width18 {
		return width18
	}
	return max(min(widthFor(digits), width12), width11)
}

// floorRoot hands the root of a, rounded down, and the rest to use, for the
// time of that call: a = root² + rest with 0 <= rest <= 2 root, which is what
// makes it the right one.
//
// An approximation that is right to a unit or two is made exact by its
// remainder, and the equation between the three is checked modulo a random
// prime. This proves the root whatever way it was found.
func (c *Calculator) floorRoot(ctx context.Context, a shifted, width int, use func(root, rest []uint64)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if a.length() > 2*maxShort11 {
		return ErrTooLarge
	}
	if len(a.limbs) == 0 {
		use(nil, nil)
		return nil
	}
	at := alignmentOf(a.digits(width), width)
	w := c.newWorkspace(9*at.limbs + 64)
	defer w.release()
	f := floor{width: width}
	var err error
	if width == width18 {
		f.root = rootShort(w, a, at)
	} else if f.root, err = c.rootLong(ctx, w, a, at, width); err != nil {
		return err
	}
	c.stage("root", f.root)
	if err := c.settleRoot(ctx, w, &f, a); err != nil {
		return err
	}
	c.stage("root", f.root)
	c.stage("remainder", f.rest)
	proved := f.proves(ctx, a)
	if err := ctx.Err(); err != nil {
		return err
	}
	if !proved {
		return ErrCorrupt
	}
	use(f.root, f.rest)
	return ctx.Err() // what has been copied may be incomplete
}

// floor is a square root rounded down, and the rest.
type floor struct {
	root, rest []uint64 // trimmed
	width      int
}

// settleRoot sets the rest, and moves the root by a few units until the rest
// is in range.
func (c *Calculator) settleRoot(ctx context.Context, w *workspace, f *floor, a shifted) (err error) {
	var negative bool
	if f.width == width18 {
		f.rest, negative, err = distanceShort(w, a, f.root, len(f.root)+2)
	} else {
		f.rest, negative, err = c.distance(ctx, w, a, f.root, f.root, len(f.root)+2, f.width)
	}
	if err != nil {
		return err
	}
	base := pow10[f.width]
	for range 4 {
		switch {
		case negative:
			subWord(f.root, 1, base)
			f.root = trim(f.root)
			f.rest, negative = subAbs(f.doublePlusOne(), f.rest, base)
		case exceedsDouble(f.rest, f.root, base):
			f.rest, _ = subAbs(f.rest, f.doublePlusOne(), base)
			f.root = grow(f.root, 1)
			addWord(f.root, 1, base)
			f.root = trim(f.root)
		default:
			return nil
		}
	}
	return ErrCorrupt
}

// doublePlusOne returns 2 root + 1.
func (f *floor) doublePlusOne() []uint64 {
	z := make([]uint64, len(f.root)+1)
	z[len(f.root)] = mulWord(z, f.root, 2, 1, pow10[f.width])
	return trim(z)
}

// exceedsDouble reports whether a > 2b. It goes down from the top, with the
// difference of the limbs so far, and ends when the limbs below cannot make
// good for it any more.
func exceedsDouble(a, b []uint64, base uint64) bool {
	if len(a) > len(b)+1 {
		return true
	}
	d := int64(0)
	for i := len(b); i >= 0; i-- {
		d *= int64(base)
		if i < len(b) {
			d += 2 * int64(b[i])
		}
		if i < len(a) {
			d -= int64(a[i])
		}
		if d >= 1 || d <= -2 {
			break
		}
	}
	return d < 0
}

// proves reports whether root² + rest = a, as far as a random prime can tell,
// and rest <= 2 root. It means nothing once ctx has ended.
func (f *floor) proves(ctx context.Context, a shifted) bool {
	p := randomPrime()
	x, _ := p.residue(ctx, a.limbs, f.width)
	x = p.product(x, p.power(f.width, a.zeros))
	s, sound := p.residue(ctx, f.root, f.width)
	r, sound2 := p.residue(ctx, f.rest, f.width)
	return sound && sound2 && x == p.add(p.product(s, s), r) && !exceedsDouble(f.rest, f.root, pow10[f.width])
}

// alignment says how a number is shifted so that its root has whole limbs: x
// times 10^shift has 2 limbs(root) limbs, the topmost of which is at least a
// hundredth of the base, so that the root has a full limb at the top.
type alignment struct {
	limbs int // of the root
	shift int // even
}

func alignmentOf(digits, width int) alignment {
	limbs := (digits + 2*width - 1) / (2 * width)
	return alignment{limbs, (2*limbs*width - digits) &^ 1}
}

// rootShort returns the root of a, of width18, or a little less.
func rootShort(w *workspace, a shifted, at alignment) []uint64 {
	x := w.words(2 * at.limbs)
	clear(x[:a.zeros])
	shiftLeftInto(x[a.zeros:], a.limbs, at.shift, width18)
	s := w.words(at.limbs + 1)
	sqrtDigits(s, x)
	slices.Reverse(s)
	return shiftRight(s, width18+at.shift/2, width18)
}
