package decimal

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/seed-649d3d38/heddle/decimal/internal/pages"
)

// A number is a little-endian vector of limbs, each holding width decimal
// digits. Three widths exist, because three things limit a limb:
//
//   - width18 packs the most digits into a 64-bit word; products of such limbs
//     are summed in 128 bits. It is best for short numbers.
//   - width12 keeps every limb below 2^40, so that a convolution of up to a
//     million limbs stays below the product of the transform's two primes.
//   - width11 does the same for convolutions of up to a hundred million limbs.
const (
	width18 = 18
	width12 = 12
	width11 = 11
)

// The width of a stored number follows from its digits alone, so equal
// numbers are equal vectors. maxDigits12 is where convolutions of two numbers
// of half that length, taken three at a time as Fibonacci does, would outgrow
// width12 (see ntt.Shape).
const (
	maxDigits18 = 576
	maxDigits12 = 8_640_000
)

// widthFor returns the width in which a number of the given digits is stored.
func widthFor(digits int) int {
	switch {
	case digits <= maxDigits18:
		return width18
	case digits <= maxDigits12:
		return width12
	default:
		return width11
	}
}

// pow10 holds the powers of ten that fit into 64 bits.
var pow10 = [20]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
	1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}

// digitsOf64 returns the number of decimal digits of v; zero has none.
func digitsOf64(v uint64) int {
	// 1233/4096 is just above log10(2), so the guess is the count or one less.
	guess := (bits.Len64(v) * 1233) >> 12
	if guess < 20 && v >= pow10[guess] {
		return guess + 1
	}
	return guess
}

// digitsOf returns the number of decimal digits of a trimmed vector.
func digitsOf(a []uint64, width int) int {
	if len(a) == 0 {
		return 0
	}
	return (len(a)-1)*width + digitsOf64(a[len(a)-1])
}

// trim drops the zero limbs at the top.
func trim(a []uint64) []uint64 {
	for len(a) > 0 && a[len(a)-1] == 0 {
		a = a[:len(a)-1]
	}
	return a
}

// compareLimbs orders two trimmed vectors of one width.
func compareLimbs(a, b []uint64) int {
	if len(a) != len(b) {
		return cmp.Compare(len(a), len(b))
	}
	for i, v := range slices.Backward(a) {
		if v != b[i] {
			return cmp.Compare(v, b[i])
		}
	}
	return 0
}

// addLimbs sets z = a + b and returns the carry out of z, which must be at
// least as long as a, and a at least as long as b. z may be a or b.
//
// The carry is a sign bit spread over a word, not a branch: in random decimal
// digits a branch would be mispredicted every other limb. And only an addition
// and a shift wait for the carry of the limb before.
func addLimbs(z, a, b []uint64, base uint64) (carry uint64) {
	z, a = z[:len(a)], slices.Clip(a)
	none := ^uint64(0) // all ones when there is no carry
	for i, v := range b {
		s := a[i] + v - (base - 1) + none
		none = uint64(int64(s) >> 63)
		z[i] = s + base&none
	}
	i := len(b)
	for ; i < len(a) && none == 0; i++ {
		s := a[i] + 1
		if s == base {
			s = 0
		} else {
			none--
		}
		z[i] = s
	}
	if i < len(a) && &z[0] != &a[0] {
		copy(z[i:], a[i:])
	}
	return none + 1
}

// subLimbs sets z = a - b modulo base^len(a) and returns the borrow. z and a
// are at least as long as b; z may be a or b.
func subLimbs(z, a, b []uint64, base uint64) uint64 {
	z, a = z[:len(a)], slices.Clip(a)
	var borrow uint64 // all ones when there is a borrow
	for i, v := range b {
		s := a[i] - v + borrow
		borrow = uint64(int64(s) >> 63)
		z[i] = s + base&borrow
	}
	i := len(b)
	for ; i < len(a) && borrow != 0; i++ {
		s := a[i]
		if s == 0 {
			s = base
		} else {
			borrow = 0
		}
		z[i] = s - 1
	}
	if i < len(a) && &z[0] != &a[0] {
		copy(z[i:], a[i:])
	}
	return borrow & 1
}

// subAbs returns |a - b| and whether a < b, for trimmed vectors.
func subAbs(a, b []uint64, base uint64) (z []uint64, less bool) {
	if compareLimbs(a, b) < 0 {
		a, b, less = b, a, true
	}
	z = make([]uint64, len(a))
	subLimbs(z, a, b, base)
	return trim(z), less
}

// addWord adds a word below base to z in place and returns the carry out.
func addWord(z []uint64, v, base uint64) uint64 {
	for i := range z {
		z[i] += v
		if z[i] < base {
			return 0
		}
		z[i] -= base
		v = 1
	}
	return v
}

// subWord subtracts a word below base from z in place and returns the borrow.
func subWord(z []uint64, v, base uint64) uint64 {
	for i := range z {
		if z[i] >= v {
			z[i] -= v
			return 0
		}
		z[i] += base - v
		v = 1
	}
	return v
}

// mulWord sets z = a*v + carry and returns the carry out; v and carry are
// below base, z may be a.
//
// The product of a limb is split into quotient and remainder before the carry
// comes in, with v/base as a fraction of 64 bits (Shoup's trick).
func mulWord(z, a []uint64, v, carry, base uint64) uint64 {
	fraction, _ := bits.Div64(v, 0, base)
	z = z[:len(a)]
	for i, x := range a {
		q, _ := bits.Mul64(x, fraction)
		s := x*v - q*base - base // the quotient may be one too small
		over := uint64(int64(s) >> 63)
		s += base&over - base + carry
		q += 2 + over
		over = uint64(int64(s) >> 63)
		z[i] = s + base&over
		carry = q + over
	}
	return carry
}

// shiftPart sets z = a * 10^part, for part below width, and returns the carry
// out; z may be a. No limb waits for another one.
func shiftPart(z, a []uint64, part, width int) (carry uint64) {
	z = z[:len(a)]
	if part == 0 {
		copy(z, a)
		return 0
	}
	power, divisor := pow10[part], pow10[width-part]
	fraction, _ := bits.Div64(1, 0, divisor) // 2^64/divisor, rounded down
	for i, x := range a {
		q, _ := bits.Mul64(x, fraction)
		r := x - q*divisor - divisor
		over := uint64(int64(r) >> 63)
		q += 1 + over
		z[i] = (r+divisor&over)*power + carry
		carry = q
	}
	return carry
}

// divWord sets z = (a + rem·base^len(a)) / v and returns the remainder; rem is
// below v, z may be a.
func divWord(z, a []uint64, v, rem, base uint64) uint64 {
	if v == 2 { // one shift a limb instead of one division
		half := base / 2
		for i := len(a) - 1; i >= 0; i-- {
			x := a[i]
			z[i] = x>>1 + half&-rem
			rem = x & 1
		}
		return rem
	}
	for i := len(a) - 1; i >= 0; i-- {
		hi, lo := bits.Mul64(rem, base)
		lo, c := bits.Add64(lo, a[i], 0)
		z[i], rem = bits.Div64(hi+c, lo, v)
	}
	return rem
}

// repack returns the trimmed vector a of one width as a trimmed vector of
// another.
func repack(a []uint64, from, to int) []uint64 {
	if from == to || len(a) == 0 {
		return a
	}
	z := pages.Words((digitsOf(a, from) + to - 1) / to)
	switch {
	case from == width18 && to == width12:
		narrow(z, a)
	case from == width12 && to == width18:
		widen(z, a)
	case from == width11 && to == width12:
		elevenToTwelve(z, a)
	case from == width12 && to == width11:
		twelveToEleven(z, a)
	default:
		repackInto(z, a, from, to)
	}
	return trim(z)
}

// narrow is repackInto from width18 to width12: two limbs become three.
func narrow(z, a []uint64) {
	for len(a) >= 2 && len(z) >= 3 {
		z[0] = a[0] % 1e12
		z[1] = a[0]/1e12 + a[1]%1e6*1e6
		z[2] = a[1] / 1e6
		a, z = a[2:], z[3:]
	}
	repackInto(z, a, width18, width12)
}

// widen is repackInto from width12 to width18: three limbs become two.
func widen(z, a []uint64) {
	for len(a) >= 3 && len(z) >= 2 {
		z[0] = a[0] + a[1]%1e6*1e12
		z[1] = a[1]/1e6 + a[2]*1e6
		a, z = a[3:], z[2:]
	}
	repackInto(z, a, width12, width18)
}

// elevenToTwelve is repackInto from width11 to width12: twelve limbs become eleven. A
// limb of z is what the limb before has left, and one digit more of the next one each
// time. The divisors are constants, so that no division is left.
func elevenToTwelve(z, a []uint64) {
	for len(a) >= 12 && len(z) >= 11 {
		z[0] = a[0] + a[1]%1e1*1e11
		z[1] = a[1]/1e1 + a[2]%1e2*1e10
		z[2] = a[2]/1e2 + a[3]%1e3*1e9
		z[3] = a[3]/1e3 + a[4]%1e4*1e8
		z[4] = a[4]/1e4 + a[5]%1e5*1e7
		z[5] = a[5]/1e5 + a[6]%1e6*1e6
		z[6] = a[6]/1e6 + a[7]%1e7*1e5
		z[7] = a[7]/1e7 + a[8]%1e8*1e4
		z[8] = a[8]/1e8 + a[9]%1e9*1e3
		z[9] = a[9]/1e9 + a[10]%1e10*1e2
		z[10] = a[10]/1e10 + a[11]*1e1
		a, z = a[12:], z[11:]
	}
	repackInto(z, a, width11, width12)
}

// twelveToEleven is repackInto from width12 to width11: eleven limbs become twelve.
func twelveToEleven(z, a []uint64) {
	for len(a) >= 11 && len(z) >= 12 {
		z[0] = a[0] % 1e11
		z[1] = a[0]/1e11 + a[1]%1e10*1e1
		z[2] = a[1]/1e10 + a[2]%1e9*1e2
		z[3] = a[2]/1e9 + a[3]%1e8*1e3
		z[4] = a[3]/1e8 + a[4]%1e7*1e4
		z[5] = a[4]/1e7 + a[5]%1e6*1e5
		z[6] = a[5]/1e6 + a[6]%1e5*1e6
		z[7] = a[6]/1e5 + a[7]%1e4*1e7
		z[8] = a[7]/1e4 + a[8]%1e3*1e8
		z[9] = a[8]/1e3 + a[9]%1e2*1e9
		z[10] = a[9]/1e2 + a[10]%1e1*1e10
		z[11] = a[10] / 1e1
		a, z = a[11:], z[12:]
	}
	repackInto(z, a, width12, width11)
}

// repackInto fills z, whose limbs hold to digits, with the digits of a; what lies beyond
// the top of a is zero.
func repackInto(z, a []uint64, from, to int) {
	have, rest := 0, uint64(0) // digits taken from a and not yet given to z
	for i := range z {
		limb, filled := uint64(0), 0
		for filled < to {
			if have == 0 {
				if len(a) == 0 {
					break
				}
				rest, have, a = a[0], from, a[1:]
			}
			take := min(have, to-filled)
			q := rest / pow10[take]
			limb += (rest - q*pow10[take]) * pow10[filled]
			rest, have, filled = q, have-take, filled+take
		}
		z[i] = limb
	}
}

// grow returns a with n zero limbs of room at the top.
func grow(a []uint64, n int) []uint64 {
	z := make([]uint64, len(a)+n)
	copy(z, a)
	return z
}

// shiftLeft returns a * 10^digits.
func shiftLeft(a []uint64, digits, width int) []uint64 {
	if len(a) == 0 {
		return nil
	}
	z := pages.Words(len(a) + digits/width + 1)
	shiftLeftInto(z, a, digits, width)
	return trim(z)
}

// shiftLeftInto sets z = a * 10^digits, which must fit.
func shiftLeftInto(z, a []uint64, digits, width int) {
	limbs := digits / width
	clear(z[:limbs])
	carry := shiftPart(z[limbs:], a, digits%width, width)
	if n := limbs + len(a); n < len(z) {
		z[n] = carry
		clear(z[n+1:])
	}
}

// shiftRight divides a by 10^digits, rounded down, in place.
func shiftRight(a []uint64, digits, width int) []uint64 {
	limbs, part := digits/width, digits%width
	if limbs >= len(a) {
		return nil
	}
	a = a[limbs:]
	if part > 0 {
		// Multiplied by 10^(width-part), the digits that stay are one limb up.
		top := shiftPart(a, a, width-part, width)
		copy(a, a[1:])
		a[len(a)-1] = top
	}
	return trim(a)
}
