package engine

import (
	"context"
	"math/big"
	"math/bits"
	"strconv"

	"github.com/seed-649d3d38/heddle/services/internal/radix"
)

// AppendModular appends the digits of F(n) mod m, which lies between 0 and m-1, to dst. It
// takes n, of either sign, and m ≥ 1 in decimal digits. It fails when ctx ends. The time
// grows in proportion to the number of digits of n and, beyond 64 bits, faster than that
// with the digits of m.
func AppendModular(ctx context.Context, dst []byte, n, m string) ([]byte, error) {
	index, err := radix.Parse(ctx, n)
	if err != nil {
		return nil, err
	}
	negated := index.Sign() < 0 && index.Bit(0) == 0 // F(-n) = -F(n) for even n
	index.Abs(index)
	if word, err := strconv.ParseUint(m, 10, 64); err == nil {
		term, err := modulus(word).term(ctx, index)
		if err != nil {
			return nil, err
		}
		if negated {
			term = modulus(word).difference(0, term)
		}
		return strconv.AppendUint(dst, term, 10), nil
	}
	large, err := radix.Parse(ctx, m)
	if err != nil {
		return nil, err
	}
	term, err := largeModular(ctx, index, large)
	if err != nil {
		return nil, err
	}
	if negated && term.Sign() > 0 {
		term.Sub(large, term)
	}
	return radix.Append(ctx, dst, term)
}

// largeModular returns F(n) mod m. Each step reduces two numbers, after the squares have
// been combined.
func largeModular(ctx context.Context, n, m *big.Int) (*big.Int, error) {
	p := newPair()
	var quotient big.Int
	for rest := n.BitLen() - 1; rest >= 0; rest-- {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p.double(uint64(n.Bit(rest+1)<<1 | n.Bit(rest)))
		quotient.DivMod(&p.a, m, &p.a)
		quotient.DivMod(&p.b, m, &p.b)
	}
	return &p.a, nil
}

// modulus is a modulus of one word, at least 1. The operands of its methods are below it.
type modulus uint64

// term returns F(n) modulo m.
func (m modulus) term(ctx context.Context, n *big.Int) (uint64, error) {
	const stepsBetweenLooks = 1 << 10 // about 15 microseconds
	a, b, two := uint64(0), 1%uint64(m), 2%uint64(m)
	odd := uint(0)
	for rest := n.BitLen() - 1; rest >= 0; rest-- {
		if rest%stepsBetweenLooks == 0 && ctx.Err() != nil {
			return 0, ctx.Err()
		}
		t, u := m.product(a, a), m.product(b, b)
		below := m.sum(t, u) // F(2k-1)
		t = m.sum(t, t)
		above := m.difference(m.sum(t, t), u)
		if odd == 0 {
			above = m.sum(above, two) // F(2k+1)
		} else {
			above = m.difference(above, two)
		}
		odd = n.Bit(rest)
		if odd == 1 {
			a, b = above, m.difference(above, below)
		} else {
			a, b = m.difference(above, below), below
		}
	}
	return a, nil
}

func (m modulus) product(x, y uint64) uint64 {
	hi, lo := bits.Mul64(x, y)
	_, r := bits.Div64(hi, lo, uint64(m)) // hi < m, since x, y < m
	return r
}

func (m modulus) sum(x, y uint64) uint64 {
	s, carry := bits.Add64(x, y, 0)
	if carry == 1 || s >= uint64(m) {
		s -= uint64(m)
	}
	return s
}

func (m modulus) difference(x, y uint64) uint64 {
	d, borrow := bits.Sub64(x, y, 0)
	if borrow == 1 {
		d += uint64(m)
	}
	return d
}
