package engine

import (
	"context"
	"math/big"
	"math/bits"

	"github.com/seed-649d3d38/heddle/services/internal/radix"
)

// pair holds F(k) and F(k-1) for some k.
type pair struct {
	a, b big.Int // F(k), F(k-1)

	t, u big.Int // room for a doubling
	two  big.Int // the number 2
}

// newPair returns the pair for k = 0: F(-1) is 1.
func newPair() *pair {
	p := new(pair)
	p.b.SetUint64(1)
	p.two.SetUint64(2)
	return p
}

// double goes from k to 2k or 2k+1, whichever index ends in the same bits as next. It
// costs two squarings, which math/big does in two thirds of the time of a product.
func (p *pair) double(next uint64) {
	p.t.Mul(&p.a, &p.a)
	p.u.Mul(&p.b, &p.b)
	p.b.Add(&p.t, &p.u) // F(2k-1)
	p.a.Lsh(&p.t, 2)
	p.a.Sub(&p.a, &p.u)
	p.addTwo(&p.a, next>>1) // F(2k+1)
	if next&1 == 1 {
		p.b.Sub(&p.a, &p.b) // F(2k)
	} else {
		p.a.Sub(&p.a, &p.b) // F(2k)
	}
}

// addTwo adds 2 (-1)^k to z.
func (p *pair) addTwo(z *big.Int, k uint64) {
	if k&1 == 0 {
		z.Add(z, &p.two)
	} else {
		z.Sub(z, &p.two)
	}
}

// last goes from k to n, which is 2k or 2k+1, and returns F(n) alone. One product does:
//
//	F(2k)   = F(k) (F(k) + 2 F(k-1))
//	F(2k+1) = (2 F(k) + F(k-1)) (2 F(k) - F(k-1)) + 2 (-1)^k
func (p *pair) last(n uint64) *big.Int {
	term := new(big.Int)
	if n&1 == 0 {
		p.t.Lsh(&p.b, 1)
		p.t.Add(&p.t, &p.a)
		return term.Mul(&p.a, &p.t)
	}
	p.t.Lsh(&p.a, 1)
	p.u.Sub(&p.t, &p.b)
	p.t.Add(&p.t, &p.b)
	term.Mul(&p.t, &p.u)
	p.addTwo(term, n>>1)
	return term
}

// appendLarge appends the digits of F(n), for n above maxWord, to dst.
func appendLarge(ctx context.Context, dst []byte, n uint64) ([]byte, error) {
	p := newPair()
	for rest := bits.Len64(n) - 1; rest > 0; rest-- {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p.double(n >> rest)
	}
	return radix.Append(ctx, dst, p.last(n))
}
