package decimal

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"math/bits"
)

// ErrModulus reports a modulus that is not positive.
var ErrModulus = errors.New("decimal: modulus is not positive")

// ErrTooLarge reports an argument beyond what is computed at all.
var ErrTooLarge = errors.New("decimal: argument too large")

// MaxModDigits is the number of digits up to which FibonacciMod takes an index
// or a modulus: they are converted to binary.
const MaxModDigits = 100_000

// FibonacciModUint64 returns F(n) modulo m, for any m but 0, in a fraction of
// a microsecond.
func FibonacciModUint64(n, m uint64) uint64 {
	return moduloWord(m, func(f *montgomery) uint64 { return f.fibonacci(n) }, func() uint64 {
		shift := max(0, bits.Len64(n)-6)
		k := n >> shift
		if k == 0 {
			return 0
		}
		pair := residuePair{fibonacciWords[k], fibonacciWords[k-1]}
		return pair.appendWrapped(k&1, n, shift).this
	})
}

// moduloWord puts a residue modulo m together from those modulo its odd part
// and modulo the power of two, for which plain words do, by the Chinese
// remainder theorem.
func moduloWord(m uint64, odd func(*montgomery) uint64, wrapped func() uint64) uint64 {
	shift := bits.TrailingZeros64(m)
	f := newMontgomery(m >> shift)
	a := odd(&f)
	if shift == 0 {
		return a
	}
	return a + f.m*((wrapped()-a)*f.inverse&(1<<shift-1))
}

// appendWrapped is montgomery.append modulo 2^64.
func (pair residuePair) appendWrapped(k, n uint64, count int) residuePair {
	for shift := count - 1; shift >= 0; shift-- {
		a, b := pair.this*pair.this, pair.previous*pair.previous
		next, previous := 4*a-b+2-4*(k&1), a+b
		k = n >> shift
		if k&1 == 0 {
			pair = residuePair{next - previous, previous}
		} else {
			pair = residuePair{next, next - previous}
		}
	}
	return pair
}

// FibonacciMod returns F(n) modulo m, from 0 to m-1, for an index of either
// sign. It fails with ErrModulus if m is not positive, with ErrTooLarge if n or
// m has more than MaxModDigits digits, and with the context's error. The time
// grows with the number of digits of n; a modulus below 2^64 is fastest.
func FibonacciMod(ctx context.Context, n, m Int) (Int, error) {
	if m.Sign() <= 0 {
		return Int{}, fmt.Errorf("fibonacci modulo: %w", ErrModulus)
	}
	if n.Digits() > MaxModDigits || m.Digits() > MaxModDigits {
		return Int{}, fmt.Errorf("fibonacci modulo: more than %d digits: %w", MaxModDigits, ErrTooLarge)
	}
	x, err := fibonacciMod(ctx, n.Abs(), m)
	if err != nil {
		return Int{}, fmt.Errorf("fibonacci modulo: %w", err)
	}
	if n.negative && n.limbs[0]&1 == 0 && x.Sign() > 0 { // F(-n) = -F(n) for even n
		x = m.Sub(x)
	}
	return x, nil
}

func fibonacciMod(ctx context.Context, n, m Int) (Int, error) {
	modulus, short := m.Uint64()
	if index, ok := n.Uint64(); ok && short {
		return FromUint64(FibonacciModUint64(index, modulus)), ctx.Err()
	}
	index := n.Big()
	if !short {
		x, err := fibonacciModBig(ctx, index, m.Big())
		if err != nil {
			return Int{}, err
		}
		return FromBig(x), nil
	}
	words := wordsOf(index)
	r := moduloWord(modulus, func(f *montgomery) uint64 {
		pair, k := residuePair{0, f.one}, uint64(0) // F(0), F(-1)
		for _, word := range words {
			if ctx.Err() != nil {
				return 0
			}
			pair, k = f.append(pair, k, word, 64), word&1
		}
		return f.leave(pair.this)
	}, func() uint64 {
		pair, k := residuePair{0, 1}, uint64(0)
		for _, word := range words {
			pair, k = pair.appendWrapped(k, word, 64), word&1
		}
		return pair.this
	})
	return FromUint64(r), ctx.Err()
}

// wordsOf returns the 64-bit words of n, the most significant first.
func wordsOf(n *big.Int) []uint64 {
	words := make([]uint64, (n.BitLen()+63)/64)
	mask := new(big.Int).SetUint64(1<<64 - 1)
	rest := new(big.Int).Set(n)
	for i := len(words) - 1; i >= 0; i-- {
		words[i] = new(big.Int).And(rest, mask).Uint64()
		rest.Rsh(rest, 64)
	}
	return words
}

// fibonacciModBig is the same doubling in big.Int. It reuses all memory: with what the
// squares and quotients of each step would leave behind, the garbage collector would keep
// another core busy.
func fibonacciModBig(ctx context.Context, n, m *big.Int) (*big.Int, error) {
	a, b := big.NewInt(0), big.NewInt(1) // F(0), F(-1)
	next, previous, middle := new(big.Int), new(big.Int), new(big.Int)
	squareA, squareB, quotient := new(big.Int), new(big.Int), new(big.Int)
	reduce := func(z, x *big.Int) {
		if quotient.QuoRem(x, m, z); z.Sign() < 0 {
			z.Add(z, m)
		}
	}
	two, minusTwo := big.NewInt(2), big.NewInt(-2)
	constant := two
	for i := n.BitLen() - 1; i >= 0; i-- {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		squareA.Mul(a, a)
		squareB.Mul(b, b)
		next.Sub(next.Lsh(squareA, 2), squareB)
		next.Add(next, constant)
		previous.Add(squareA, squareB)
		middle.Sub(next, previous)
		if n.Bit(i) == 0 {
			reduce(a, middle)
			reduce(b, previous)
			constant = two
		} else {
			reduce(b, middle)
			reduce(a, next)
			constant = minusTwo
		}
	}
	reduce(middle, a) // a is not reduced when n is 0
	return middle, nil
}
