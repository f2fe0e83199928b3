package decimal

import "math/bits"

// mulColumns sets z = a * b by the schoolbook method and needs
// len(z) = len(a) + len(b), both at least one. Each column of the product is
// summed in 128 bits and divided by the base once. Sums fit as long as the
// shorter operand has at most schoolbookMax limbs.
func mulColumns(z, a, b []uint64, base uint64) {
	if len(a) < len(b) {
		a, b = b, a
	}
	var carryHigh, carry uint64
	for k := range len(a) + len(b) - 1 {
		low, high := max(0, k-len(b)+1), min(k, len(a)-1)
		x := a[low : high+1]
		y := b[k-high : k-low+1]
		y = y[:len(x)]
		sumHigh, sum := carryHigh, carry
		for i, v := range x {
			h, l := bits.Mul64(v, y[len(x)-1-i])
			var c uint64
			sum, c = bits.Add64(sum, l, 0)
			sumHigh += h + c
		}
		carryHigh, carry, z[k] = divideColumn(sumHigh, sum, base)
	}
	z[len(a)+len(b)-1] = carry
}

// sqrColumns sets z = a * a modulo base^len(z) like mulColumns, with half the
// multiplications. z has at most 2 len(a) limbs.
func sqrColumns(z, a []uint64, base uint64) {
	var carryHigh, carry uint64
	for k := range min(len(z), 2*len(a)-1) {
		h, l := squareColumn(a, k)
		var c uint64
		l, c = bits.Add64(l, carry, 0)
		carryHigh, carry, z[k] = divideColumn(h+carryHigh+c, l, base)
	}
	if len(z) == 2*len(a) {
		z[len(z)-1] = carry
	}
}

// squareColumn returns the sum of a[i]*a[j] over i + j = k.
func squareColumn(a []uint64, k int) (high, low uint64) {
	i, j := max(0, k-len(a)+1), min(k, len(a)-1)
	for ; i < j; i, j = i+1, j-1 {
		h, l := bits.Mul64(a[i], a[j])
		var c uint64
		low, c = bits.Add64(low, l, 0)
		high += h + c
	}
	high, low = high<<1|low>>63, low<<1
	if i == j {
		h, l := bits.Mul64(a[i], a[i])
		var c uint64
		low, c = bits.Add64(low, l, 0)
		high += h + c
	}
	return high, low
}

// schoolbookMax is the number of products of two width18 limbs, each below
// 10^36, that fit into 128 bits beside a carry.
const schoolbookMax = 338

// divideColumn splits a column sum into a two-word carry and a limb.
func divideColumn(high, low, base uint64) (carryHigh, carry, limb uint64) {
	if high >= base {
		carryHigh, high = high/base, high%base
	}
	carry, limb = bits.Div64(high, low, base)
	return carryHigh, carry, limb
}
