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
		sumHigh, sum := carryHigh, carry
		var c uint64
		for len(x) >= 2 && len(y) >= 2 {
			h, l := bits.Mul64(x[0], y[len(y)-1])
			h2, l2 := bits.Mul64(x[1], y[len(y)-2])
			sum, c = bits.Add64(sum, l, 0)
			sumHigh, _ = bits.Add64(sumHigh, h, c)
			sum, c = bits.Add64(sum, l2, 0)
			sumHigh, _ = bits.Add64(sumHigh, h2, c)
			x, y = x[2:], y[:len(y)-2]
		}
		if len(x) == 1 && len(y) == 1 {
			h, l := bits.Mul64(x[0], y[0])
			sum, c = bits.Add64(sum, l, 0)
			sumHigh, _ = bits.Add64(sumHigh, h, c)
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
	if j < i {
		return 0, 0
	}
	x := a[i : j+1]
	var c uint64
	for len(x) >= 4 {
		n := len(x)
		h, l := bits.Mul64(x[0], x[n-1])
		h2, l2 := bits.Mul64(x[1], x[n-2])
		low, c = bits.Add64(low, l, 0)
		high, _ = bits.Add64(high, h, c)
		low, c = bits.Add64(low, l2, 0)
		high, _ = bits.Add64(high, h2, c)
		x = x[2 : n-2]
	}
	if len(x) >= 2 {
		h, l := bits.Mul64(x[0], x[len(x)-1])
		low, c = bits.Add64(low, l, 0)
		high, _ = bits.Add64(high, h, c)
		x = x[1 : len(x)-1]
	}
	low, c = bits.Add64(low, low, 0)
	high, _ = bits.Add64(high, high, c)
	if len(x) == 1 {
		h, l := bits.Mul64(x[0], x[0])
		low, c = bits.Add64(low, l, 0)
		high, _ = bits.Add64(high, h, c)
	}
	return high, low
}

// divideColumn splits a column sum into a two-word carry and a limb.
func divideColumn(high, low, base uint64) (carryHigh, carry, limb uint64) {
	if high >= base {
		carryHigh, high = high/base, high%base
	}
	carry, limb = bits.Div64(high, low, base)
	return carryHigh, carry, limb
}
