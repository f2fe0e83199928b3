package ntt

import "math/bits"

// layout says how a transform of a number of points that need not be a power of
// two is put together. The points are split into pieces, each a power of two
// long: the first holds the polynomial modulo x^n - 1, each further one modulo
// x^n - c for a c such that all these rings are factors of one x^N - 1. Their
// product has as many degrees of freedom as there are points, so a polynomial
// with fewer coefficients than points is determined, and there is no jump in
// cost at the powers of two.
type layout struct {
	points int
	pieces []piece
}

// piece is block number j of its level, of n points, stored at offset.
type piece struct{ offset, n, j int }

// newLayout returns the shortest layout with at least n points. Above 1024
// points the sizes are 5, 6, 7 and 8 eighths of a power of two.
func newLayout(n int) layout {
	n = max(n, minPoints)
	full := 1 << bits.Len(uint(n-1))
	eighths := 8
	if full >= 1024 {
		eighths = (n + full/8 - 1) / (full / 8)
	}
	return newPieces(full, eighths)
}

// newPieces returns the layout of eighths/8·full points: the binary digits of
// the fraction from the left, each taken as the left child of the right sibling
// of the one before.
func newPieces(full, eighths int) layout {
	l := layout{points: full / 8 * eighths}
	j, offset := 0, 0
	for n := full; offset < l.points; n /= 2 {
		if offset+n <= l.points {
			l.pieces = append(l.pieces, piece{offset, n, j})
			offset += n
			j++
		}
		j *= 2
	}
	return l
}

// tableSize returns the number of points that the tables must cover.
func (l layout) tableSize() int {
	if len(l.pieces) == 1 {
		return l.points
	}
	return 2 * l.pieces[0].n
}

// merge holds the constants that join one further piece to those before it.
//
// Let the pieces before it determine r modulo M (of degree start), and the new
// one b modulo x^n - c. Then the polynomial is r + M·q with
// q = (b - r)/M modulo x^n - c. M is a product of binomials; its terms beside
// the leading one are listed.
type merge struct {
	piece
	c     factor // x^n in the piece's ring
	fromB factor // scale·(1/M), where scale brings b to the factor of the first piece
	fromR factor // -1/M
	terms []term
}

// term is coeff·x^exp.
type term struct {
	exp   int
	coeff factor
}

// merges returns the constants for all pieces of l but the first.
func (l layout) merges(m *modulus, k kernel) []merge {
	product := []struct {
		exp   int
		coeff uint64
	}{{0, 1}}
	var out []merge
	c := uint64(1)
	for i, p := range l.pieces {
		if i > 0 {
			c = m.step[p.j/2-1].w
			g := merge{piece: p, c: k.factor(m, c)}
			var value uint64 // M in the ring of the piece
			for _, f := range product {
				value = (value + m.mul(f.coeff, m.pow(c, uint64(f.exp/p.n)))) % m.p
				if f.exp != p.offset {
					g.terms = append(g.terms, term{f.exp, k.factor(m, f.coeff)})
				}
			}
			inverse := m.invert(value)
			g.fromB = k.factor(m, m.mul(inverse, uint64(l.pieces[0].n/p.n)))
			g.fromR = k.factor(m, m.neg(inverse))
			out = append(out, g)
		}
		// product *= x^n - c
		for _, f := range product {
			product = append(product, f)
			product[len(product)-1].coeff = m.neg(m.mul(f.coeff, c))
		}
		for i := range len(product) / 2 {
			product[i].exp += p.n
		}
	}
	return out
}
