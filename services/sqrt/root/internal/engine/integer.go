package engine

import (
	"context"
	"math/big"
	"math/bits"

	"github.com/seed-649d3d38/heddle/services/internal/radix"
)

// Integer returns the digits of ⌊√x⌋ and of x - ⌊√x⌋², for x ≥ 0 in decimal digits. It
// fails when ctx ends.
func Integer(ctx context.Context, x string) (root, remainder []byte, err error) {
	n, err := radix.Parse(ctx, x)
	if err != nil {
		return nil, nil, err
	}
	s, r, err := sqrtRem(ctx, n)
	if err != nil {
		return nil, nil, err
	}
	if root, err = radix.Append(ctx, nil, s); err != nil {
		return nil, nil, err
	}
	if remainder, err = radix.Append(ctx, nil, r); err != nil {
		return nil, nil, err
	}
	return root, remainder, nil
}

// part returns the number that the words stand for, without copying them.
func part(words []big.Word) *big.Int { return new(big.Int).SetBits(words) }

// leafWords is the size in words up to which math/big's own root is used.
const leafWords = 4

// sqrtRem returns s = ⌊√n⌋ and n - s², for n ≥ 0.
//
// It is P. Zimmermann's "Karatsuba Square Root" (INRIA research report 3805, 1999): the
// root of the upper half of n gives the upper half of s, one division the lower half. It
// takes the time of a few products, whereas the root of math/big divides numbers of full
// length at every step.
func sqrtRem(ctx context.Context, n *big.Int) (s, r *big.Int, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	words := n.Bits()
	if len(words) <= leafWords {
		s = new(big.Int).Sqrt(n)
		r = new(big.Int).Mul(s, s)
		return s, r.Sub(n, r), nil
	}

	// n = (upper·b + middle)·b + lower, where b has a quarter of the words of n. Upper is
	// at least b²/4, whatever the bits in the highest word: the lemma of the method.
	quarter := (len(words) - 1) / 4
	shift := uint(quarter * bits.UintSize)
	lower, middle, upper := part(words[:quarter]), part(words[quarter:2*quarter]), part(words[2*quarter:])
	half, r, err := sqrtRem(ctx, upper)
	if err != nil {
		return nil, nil, err
	}

	// With upper = half² + r: s = half·b + q, where q, u = (r·b + middle) ÷ 2 half, and
	// n - s² = u·b + lower - q². That is negative if q is one too large.
	r.Lsh(r, shift)
	r.Add(r, middle)
	divisor := new(big.Int).Lsh(half, 1)
	q, u := new(big.Int).QuoRem(r, divisor, new(big.Int))
	s = half.Lsh(half, shift)
	s.Add(s, q)
	u.Lsh(u, shift)
	u.Add(u, lower)
	r = u.Sub(u, q.Mul(q, q))
	if r.Sign() < 0 { // (s-1)² = s² - (2s - 1)
		r.Add(r, s)
		s.Sub(s, big.NewInt(1))
		r.Add(r, s)
	}
	return s, r, nil
}
