package decimal

import (
	"math/bits"
	"slices"
	"sync"
)

// shortNumber is a number of width18 in memory of fixed size, in a computation
// by the schoolbook method.
type shortNumber struct {
	limbs []uint64 // the memory; what is above n is undefined
	n     int
}

// slice returns the limbs of the number.
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

// shortPair is F(k) and F(k-1), with room for what the next ones are made of.
type shortPair struct{ this, previous, sum, double, squares shortNumber }

// newShortPair returns a pair in w whose numbers have room for F(n).
func newShortPair(w *workspace, n uint64) shortPair {
	room := shortRoom(n)
	number := func() shortNumber { return shortNumber{limbs: w.words(room)} }
	return shortPair{number(), number(), number(), number(), number()}
}

// shortRoom returns enough limbs for F(n) and a carry.
func shortRoom(n uint64) int { return int(n)*209/1000/width18 + 3 }

// firstBits is the number of leading bits of an index whose term comes from firstTerms:
// with 9 of them F(1000) takes one step, and the table 19 KB.
const firstBits = 9

// firstTerms returns F(0) … F(2^firstBits - 1) of width18, made at the first use.
var firstTerms = sync.OnceValue(func() [][]uint64 {
	terms := [][]uint64{{0}, {1}}
	for k := 2; k < 1<<firstBits; k++ {
		a, b := terms[k-1], terms[k-2]
		z := make([]uint64, len(a), len(a)+1)
		if carry := addLimbs(z, a, b, 1e18); carry != 0 {
			z = append(z, carry)
		}
		terms = append(terms, z)
	}
	return terms
})

// fibonacciShort returns F(n) for n of at least 94 up to maxShortFibonacci.
func fibonacciShort(n uint64) []uint64 {
	if first := firstTerms(); n < uint64(len(first)) {
		return slices.Clone(first[n])
	}
	w := newWorkspace(5 * shortRoom(n))
	defer w.release()
	p := newShortPair(w, (n+1)/2+2)
	p.set(n / 2)
	result := shortNumber{limbs: make([]uint64, shortRoom(n))}
	p.sum.setSum(&p.this, &p.previous) // F(k+1)
	if n&1 == 1 {
		result.setSquares(&p.sum, &p.this) // F(2k+1) = F(k+1)² + F(k)²
	} else {
		p.sum.setSum(&p.sum, &p.previous)
		result.setProduct(&p.sum, &p.this) // F(2k) = F(k) (F(k) + 2 F(k-1))
	}
	return result.slice()
}

// lucasShort returns L(n) for n from 2 up to maxShortFibonacci:
// L(n) = F(n) + 2 F(n-1).
func lucasShort(n uint64) []uint64 {
	w := newWorkspace(5 * shortRoom(n+2))
	defer w.release()
	p := newShortPair(w, n+2)
	p.set(n)
	p.sum.setSum(&p.this, &p.previous)
	p.sum.setSum(&p.sum, &p.previous)
	return slices.Clone(p.sum.slice())
}

// set computes F(n) and F(n-1) for n of at least 1.
func (p *shortPair) set(n uint64) {
	shift := max(0, bits.Len64(n)-firstBits)
	k := n >> shift
	first := firstTerms()
	p.this.n = copy(p.this.limbs, first[k])
	p.previous.n = copy(p.previous.limbs, first[k-1])
	for shift--; shift >= 0; shift-- {
		p.sum.setSum(&p.this, &p.previous)
		p.sum.setSum(&p.sum, &p.previous)
		p.double.setProduct(&p.sum, &p.this)       // F(2k)
		p.squares.setSquares(&p.this, &p.previous) // F(2k-1)
		if n>>shift&1 == 0 {
			p.this, p.double = p.double, p.this
			p.previous, p.squares = p.squares, p.previous
		} else {
			p.this.setSum(&p.double, &p.squares)
			p.previous, p.double = p.double, p.previous
		}
	}
}

// pairOf hands F(k) and F(k-1) of width18, for k up to maxShortFibonacci, to use.
func pairOf(k uint64, use func(this, previous []uint64)) {
	w := newWorkspace(5 * shortRoom(k+2))
	defer w.release()
	p := newShortPair(w, k+2)
	p.set(k)
	use(p.this.slice(), p.previous.slice())
}
