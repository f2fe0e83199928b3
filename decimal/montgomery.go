package decimal

import "math/bits"

// montgomery computes modulo an odd m below 2^64 with numbers in Montgomery
// form, that is multiplied by 2^64 modulo m (Montgomery 1985): a product costs
// three multiplications and no division.
type montgomery struct {
	m       uint64
	inverse uint64 // of m modulo 2^64
	one     uint64 // 2^64 mod m, the number 1
	square  uint64 // 2^128 mod m, turns a number into Montgomery form
}

// newMontgomery prepares an odd modulus.
func newMontgomery(m uint64) montgomery {
	inverse := m // right to 3 bits; every step doubles that
	for range 5 {
		inverse *= 2 - m*inverse
	}
	_, one := bits.Div64(1%m, 0, m)
	hi, lo := bits.Mul64(one, one)
	return montgomery{m: m, inverse: inverse, one: one, square: bits.Rem64(hi, lo, m)}
}

// reduce returns (hi*2^64 + lo) / 2^64 modulo m. With hi below m the result is
// below m; otherwise it is at most hi.
func (f *montgomery) reduce(hi, lo uint64) uint64 {
	q, _ := bits.Mul64(lo*f.inverse, f.m)
	r, borrow := bits.Sub64(hi, q, 0)
	return r + f.m&-borrow
}

func (f *montgomery) mul(a, b uint64) uint64 { return f.reduce(bits.Mul64(a, b)) }

func (f *montgomery) add(a, b uint64) uint64 { return f.sub(a, f.m-b) }

func (f *montgomery) sub(a, b uint64) uint64 {
	r, borrow := bits.Sub64(a, b, 0)
	return r + f.m&-borrow
}

// enter turns any word into Montgomery form.
func (f *montgomery) enter(a uint64) uint64 { return f.mul(a%f.m, f.square) }

// leave turns Montgomery form into a number below m.
func (f *montgomery) leave(a uint64) uint64 { return f.reduce(0, a) }

// residuePair is F(k) and F(k-1) modulo m.
type residuePair struct{ this, previous uint64 }

// fibonacci returns F(n) mod m as a number below m.
func (f *montgomery) fibonacci(n uint64) uint64 {
	shift := max(0, bits.Len64(n)-6)
	k := n >> shift
	if shift == 0 {
		return fibonacciWords[k] % f.m
	}
	pair := residuePair{f.enter(fibonacciWords[k]), f.enter(fibonacciWords[k-1])}
	return f.leave(f.append(pair, k&1, n, shift).this)
}

// lucas returns L(n) = F(n-1) + F(n+1) mod m for n of at least 1.
func (f *montgomery) lucas(n uint64) uint64 {
	return f.add(f.fibonacci(n-1), f.fibonacci(n+1))
}

// append continues from k to the number that has the low count bits of n
// behind the bits of k. Only the parity of k matters.
//
// Two squares a bit suffice (as in GMP's manual, "Fibonacci Numbers
// Algorithm"):
//
//	F(2k+1) = 4 F(k)² - F(k-1)² + 2(-1)^k
//	F(2k-1) = F(k)² + F(k-1)²
//	F(2k)   = F(2k+1) - F(2k-1)
func (f *montgomery) append(pair residuePair, k, n uint64, count int) residuePair {
	two := f.add(f.one, f.one)
	signed := [2]uint64{two, f.m - two}
	for shift := count - 1; shift >= 0; shift-- {
		a, b := f.mul(pair.this, pair.this), f.mul(pair.previous, pair.previous)
		four := f.add(a, a)
		four = f.add(four, four)
		next := f.add(f.sub(four, b), signed[k&1])
		previous := f.add(a, b)
		middle := f.sub(next, previous)
		k = n >> shift
		if k&1 == 0 {
			pair = residuePair{middle, previous}
		} else {
			pair = residuePair{next, middle}
		}
	}
	return pair
}

// fibonacciWords holds every F(n) that fits into 64 bits.
var fibonacciWords = func() (table [94]uint64) {
	table[1] = 1
	for i := 2; i < len(table); i++ {
		table[i] = table[i-1] + table[i-2]
	}
	return table
}()
