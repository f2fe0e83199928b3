package short

import (
	"math/bits"
	"strconv"
)

const (
	// limbDigits is the number of decimal digits in a limb. With 17 a column of products
	// has room in 128 bits and its carry in 64, see [columns.next].
	limbDigits = 17
	limbBase   = 100_000_000_000_000_000

	// maxLimbs is enough for the 209 digits of F(MaxTerm).
	maxLimbs = 13
)

// number is a natural number in decimal limbs, the least significant first. It lives on
// the stack, and its digits are its limbs', so that it needs no conversion.
type number struct {
	limb [maxLimbs]uint64
	len  int
}

func (z *number) set(v uint64) {
	z.len = 0
	for ; v > 0; v /= limbBase {
		z.limb[z.len] = v % limbBase
		z.len++
	}
}

// add sets z to x + y. They may be the same.
func (z *number) add(x, y *number) {
	if x.len < y.len {
		x, y = y, x
	}
	carry := uint64(0)
	length := x.len
	for i := range length {
		v := x.limb[i] + carry
		if i < y.len {
			v += y.limb[i]
		}
		carry = 0
		if v >= limbBase {
			v -= limbBase
			carry = 1
		}
		z.limb[i] = v
	}
	z.len = length
	z.push(carry)
}

// push makes v, if it is not 0, the most significant limb.
func (z *number) push(v uint64) {
	if v > 0 {
		z.limb[z.len] = v
		z.len++
	}
}

// column is the sum of the products that meet at one limb of a result, in 128 bits.
type column struct{ hi, lo uint64 }

func (c *column) addProduct(x, y uint64) {
	hi, lo := bits.Mul64(x, y)
	var carry uint64
	c.lo, carry = bits.Add64(c.lo, lo, 0)
	c.hi, _ = bits.Add64(c.hi, hi, carry)
}

// settle returns the column's limb and leaves the carry for the next column in it.
//
// A column has at most 2 maxLimbs products below 10^34 and a carry: less than
// 2.7·10^35. So its upper word is below 1.5·10^16, as Div64 demands, and the carry is
// below 2.7·10^18, which fits into one word.
func (c *column) settle() uint64 {
	carry, limb := bits.Div64(c.hi, c.lo, limbBase)
	c.hi, c.lo = 0, carry
	return limb
}

// mul sets z to x·y; z must be neither of them.
func (z *number) mul(x, y *number) {
	var c column
	z.len = 0
	for k := range x.len + y.len - 1 {
		for i := max(0, k-y.len+1); i <= min(k, x.len-1); i++ {
			c.addProduct(x.limb[i], y.limb[k-i])
		}
		z.limb[z.len] = c.settle()
		z.len++
	}
	z.push(c.lo)
}

// addSquares sets z to x² + y², for x ≥ y; z must be neither of them.
func (z *number) addSquares(x, y *number) {
	var c column
	z.len = 0
	for k := range 2*x.len - 1 {
		for i := max(0, k-x.len+1); i <= min(k, x.len-1); i++ {
			c.addProduct(x.limb[i], x.limb[k-i])
		}
		for i := max(0, k-y.len+1); i <= min(k, y.len-1); i++ {
			c.addProduct(y.limb[i], y.limb[k-i])
		}
		z.limb[z.len] = c.settle()
		z.len++
	}
	z.push(c.lo)
}

// append appends the digits of z, which must not be 0, to dst.
func (z *number) append(dst []byte) []byte {
	dst = strconv.AppendUint(dst, z.limb[z.len-1], 10)
	for i := z.len - 2; i >= 0; i-- {
		// A one in front keeps the limb's zeros; it is then left out.
		var room [limbDigits + 1]byte
		dst = append(dst, strconv.AppendUint(room[:0], limbBase+z.limb[i], 10)[1:]...)
	}
	return dst
}
