package decimal

import (
	"math/bits"
	"slices"
)

// shortLimbs is the room for the longest number that is computed by the
// schoolbook method on the stack: maxDigits18 digits and one carry limb.
const shortLimbs = maxDigits18/width18 + 2

// shortNumber is a number of a few limbs of width18 that needs no heap.
type shortNumber struct {
	limbs [shortLimbs]uint64
	n     int
}

func (z *shortNumber) slice() []uint64 { return z.limbs[:z.n] }

// setSum sets z = a + b, where a is not shorter than b.
func (z *shortNumber) setSum(a, b *shortNumber) {
	carry := addLimbs(z.limbs[:a.n], a.slice(), b.slice(), 1e18)
	z.limbs[a.n] = carry
	z.n = a.n + int(carry)
}

// setProduct sets z = a * b; neither may be z or 0.
func (z *shortNumber) setProduct(a, b *shortNumber) {
	z.n = a.n + b.n
	mulColumns(z.limbs[:z.n], a.slice(), b.slice(), 1e18)
	if z.limbs[z.n-1] == 0 {
		z.n--
	}
}

// setSquares sets z = a² + b², where a is not shorter than b; neither may be z.
func (z *shortNumber) setSquares(a, b *shortNumber) {
	x, y := a.slice(), b.slice()
	var carryHigh, carry uint64
	for k := range 2*len(x) - 1 {
		h, l := squareColumn(x, k)
		if k < 2*len(y)-1 {
			h2, l2 := squareColumn(y, k)
			var c uint64
			l, c = bits.Add64(l, l2, 0)
			h += h2 + c
		}
		l, c := bits.Add64(l, carry, 0)
		carryHigh, carry, z.limbs[k] = divideColumn(h+carryHigh+c, l, 1e18)
	}
	z.n = 2*len(x) - 1
	for carry != 0 { // up to two limbs: the sum of two squares may carry once more
		z.limbs[z.n] = carry % 1e18
		carry /= 1e18
		z.n++
	}
}

// shortPair is F(k) and F(k-1).
type shortPair struct{ this, previous shortNumber }

// fibonacciShort returns F(n) for n of at least 94 whose value has at most
// maxDigits18 digits.
func fibonacciShort(n uint64) []uint64 {
	var pair shortPair
	pair.set(n / 2)
	var twice, result shortNumber
	twice.setSum(&pair.this, &pair.previous) // F(k+1)
	if n&1 == 1 {
		result.setSquares(&twice, &pair.this) // F(2k+1) = F(k+1)² + F(k)²
	} else {
		twice.setSum(&twice, &pair.previous)
		result.setProduct(&twice, &pair.this) // F(2k) = F(k) (F(k) + 2 F(k-1))
	}
	return slices.Clone(result.slice())
}

// lucasShort returns L(n) for n from 2 on whose value has at most maxDigits18
// digits: L(n) = F(n) + 2 F(n-1).
func lucasShort(n uint64) []uint64 {
	var pair shortPair
	pair.set(n)
	pair.this.setSum(&pair.this, &pair.previous)
	pair.this.setSum(&pair.this, &pair.previous)
	return slices.Clone(pair.this.slice())
}

// set computes F(n) and F(n-1) for n of at least 1; F(n) must have at most
// maxDigits18 digits.
func (p *shortPair) set(n uint64) {
	shift := max(0, bits.Len64(n)-6)
	k := n >> shift
	p.this.limbs[0], p.this.n = fibonacciWords[k], 1
	p.previous.limbs[0], p.previous.n = fibonacciWords[k-1], 1
	var sum, double, squares shortNumber
	for shift--; shift >= 0; shift-- {
		sum.setSum(&p.this, &p.previous)
		sum.setSum(&sum, &p.previous)
		double.setProduct(&sum, &p.this)         // F(2k)
		squares.setSquares(&p.this, &p.previous) // F(2k-1)
		if n>>shift&1 == 0 {
			p.this.copy(&double)
			p.previous.copy(&squares)
		} else {
			p.this.setSum(&double, &squares)
			p.previous.copy(&double)
		}
	}
}

func (z *shortNumber) copy(a *shortNumber) {
	copy(z.limbs[:a.n], a.limbs[:a.n])
	z.n = a.n
}
