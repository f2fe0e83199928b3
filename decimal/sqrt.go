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
	if x.negative {
		return Int{}, Int{}, fmt.Errorf("square root: %w", ErrNegative)
	}
	f, err := c.floorRoot(ctx, x)
	if err != nil {
		return Int{}, Int{}, fmt.Errorf("square root: %w", err)
	}
	return newInt(f.root, f.width, false), newInt(f.rest, f.width, false), nil
}

// floor is a square root rounded down, and the rest: x = root² + rest with
// 0 <= rest <= 2 root, which is what makes it the right one.
type floor struct {
	root, rest []uint64 // trimmed
	width      int
}

// floorRoot returns the root of x, which is not negative, checked: an
// approximation that is right to a unit or two is made exact by its remainder,
// and the equation between the three is checked modulo a random prime. This
// proves the root whatever way it was found.
func (c *Calculator) floorRoot(ctx context.Context, x Int) (floor, error) {
	if err := ctx.Err(); err != nil {
		return floor{}, err
	}
	digits := x.Digits()
	width, method := width18, c.rootShort
	if digits > maxShortRoot*2*width18 {
		width, method = max(min(x.width, width12), width11), c.rootLong
	}
	if digits/width/2 > maxShort11 {
		return floor{}, ErrTooLarge
	}
	a := x.in(width)
	if len(a) == 0 {
		return floor{width: width}, nil
	}
	root, err := method(ctx, a, width)
	if err != nil {
		return floor{}, err
	}
	c.stage("root", root)
	f := floor{root: root, width: width}
	if err := c.settleRoot(ctx, &f, a); err != nil {
		return floor{}, err
	}
	c.stage("root", f.root)
	c.stage("remainder", f.rest)
	if !f.proves(a) {
		return floor{}, ErrCorrupt
	}
	return f, nil
}

// settleRoot sets the rest, and moves the root by a few units until the rest
// is in range.
func (c *Calculator) settleRoot(ctx context.Context, f *floor, a []uint64) error {
	rest, negative, err := c.distance(ctx, a, f.root, f.root, len(f.root)+2, f.width)
	if err != nil {
		return err
	}
	base := pow10[f.width]
	for range 4 {
		if negative {
			subWord(f.root, 1, base)
			f.root = trim(f.root)
			rest, negative = subAbs(f.doublePlusOne(), rest, base)
			continue
		}
		step := f.doublePlusOne()
		if compareLimbs(rest, step) < 0 {
			f.rest = rest
			return nil
		}
		rest, _ = subAbs(rest, step, base)
		f.root = grow(f.root, 1)
		addWord(f.root, 1, base)
		f.root = trim(f.root)
	}
	return ErrCorrupt
}

// doublePlusOne returns 2 root + 1.
func (f *floor) doublePlusOne() []uint64 {
	z := make([]uint64, len(f.root)+1)
	z[len(f.root)] = mulWord(z, f.root, 2, 1, pow10[f.width])
	return trim(z)
}

// proves reports whether root² + rest = a, as far as a random prime can tell,
// and rest <= 2 root.
func (f *floor) proves(a []uint64) bool {
	p := randomPrime()
	x, _ := p.residue(a, f.width)
	s, sound := p.residue(f.root, f.width)
	r, sound2 := p.residue(f.rest, f.width)
	return sound && sound2 && x == p.add(p.product(s, s), r) && compareLimbs(f.rest, f.doublePlusOne()) < 0
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
func (c *Calculator) rootShort(_ context.Context, a []uint64, width int) ([]uint64, error) {
	at := alignmentOf(digitsOf(a, width), width)
	var room [2 * maxShortRoot]uint64
	x := room[:2*at.limbs]
	limbs := at.shift / width
	top := mulWord(x[limbs:], a, pow10[at.shift%width], 0, pow10[width])
	if n := limbs + len(a); n < len(x) {
		x[n] = top
	}
	var digits [maxShortRoot + 1]uint64
	s := digits[:at.limbs+1]
	sqrtDigits(s, x)
	slices.Reverse(s)
	return shiftRight(s, width+at.shift/2, width), nil
}
