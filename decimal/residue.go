package decimal

import (
	"context"
	"crypto/rand"
	"errors"
	"math/big"
	"math/bits"
	mathrand "math/rand/v2"
	"sync"
)

// ErrCorrupt reports that a result failed its check and was withheld. The
// arithmetic is right, so it means a fault of the machine or of this package;
// computing again is sound.
var ErrCorrupt = errors.New("decimal: result failed its check")

// A prime checks numbers by their residue. A wrong number of d digits passes
// only if its error is a multiple of the prime. The error has at most d/18
// different prime factors of 61 bits, and there are 2.7·10^16 of them to draw
// from: for 10^9 digits the chance is below 3·10^-9, for a fault that does not
// know the prime and a result it is not compared with otherwise.
type prime struct {
	montgomery
	weights [3][blockLimbs + 1]uint64 // per width: base^i in Montgomery form
}

// blockLimbs is the number of limbs that are summed before one reduction:
// 16 products below 2^60 * 2^61 and the sum so far stay below 2^126.
const blockLimbs = 16

// primes are drawn when the first check needs them, once per process, so that
// nobody who chooses an input can know them.
var primes = sync.OnceValue(func() *[4]prime {
	var seed [32]byte
	rand.Read(seed[:])
	random := mathrand.New(mathrand.NewChaCha8(seed))
	var drawn [4]prime
	for i := range drawn {
		drawn[i] = newPrime(random)
	}
	return &drawn
})

// randomPrime returns one of them.
func randomPrime() *prime { return &primes()[mathrand.Uint64()%4] }

// newPrime draws a prime of 61 bits.
func newPrime(random *mathrand.Rand) prime {
	for {
		p := random.Uint64()>>4 | 1<<60 | 1
		// Below 2^64 the Baillie-PSW test that remains with 0 rounds is exact.
		if p%3 == 0 || p%5 == 0 || p%7 == 0 || !new(big.Int).SetUint64(p).ProbablyPrime(0) {
			continue
		}
		f := prime{montgomery: newMontgomery(p)}
		for i, width := range [3]int{width18, width12, width11} {
			w, base := f.one, f.enter(pow10[width])
			for j := range f.weights[i] {
				f.weights[i][j] = w
				w = f.mul(w, base)
			}
		}
		return f
	}
}

// residue returns a mod p, and false if a limb is not below the base. Neither means
// anything once ctx has ended.
func (f *prime) residue(ctx context.Context, a []uint64, width int) (r uint64, sound bool) {
	sound = true
	for len(a) > 0 && ctx.Err() == nil {
		cut := (len(a) - 1) &^ (blockLength - 1)
		next, ok := f.residueOn(r, a[cut:], width)
		r, sound = next, sound && ok
		a = a[:cut]
	}
	return r % f.m, sound
}

// residueOn returns r·base^len(a) + a modulo p, below 2^64, and whether all limbs are below the
// base. If r is not 0, the length of a is a multiple of blockLimbs.
func (f *prime) residueOn(r uint64, a []uint64, width int) (uint64, bool) {
	w := &f.weights[0]
	switch width {
	case width12:
		w = &f.weights[1]
	case width11:
		w = &f.weights[2]
	}
	top := pow10[width] - 1
	var over uint64 // its sign bit collects those of limbs out of range
	if n := len(a) % blockLimbs; n > 0 {
		var hi, lo uint64
		for i, v := range a[len(a)-n:] {
			over |= top - v | v
			h, l := bits.Mul64(v, w[i])
			var c uint64
			lo, c = bits.Add64(lo, l, 0)
			hi, _ = bits.Add64(hi, h, c)
		}
		r = f.reduce(hi, lo)
		a = a[:len(a)-n]
	}
	for len(a) > 0 {
		block := (*[blockLimbs]uint64)(a[len(a)-blockLimbs:])
		hi, lo := bits.Mul64(r, w[blockLimbs])
		for i, v := range block {
			over |= top - v | v
			h, l := bits.Mul64(v, w[i])
			var c uint64
			lo, c = bits.Add64(lo, l, 0)
			hi, _ = bits.Add64(hi, h, c)
		}
		r = f.reduce(hi, lo)
		a = a[:len(a)-blockLimbs]
	}
	return r, int64(over) >= 0
}

// power returns base^n mod p.
func (f *prime) power(width, n int) uint64 {
	base, z := f.enter(pow10[width]), f.one
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			z = f.mul(z, base)
		}
		base = f.mul(base, base)
	}
	return f.leave(z)
}

// product returns a*b mod p of two residues.
func (f *prime) product(a, b uint64) uint64 { return f.mul(f.mul(a, b), f.square) }
