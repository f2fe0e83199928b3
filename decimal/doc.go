// Package decimal is exact arithmetic on big integers that are held in decimal
// limbs, and never in binary.
//
// Text goes in and out in linear time, because no radix is ever converted. For
// sums, products, square roots and Fibonacci terms that is all it takes to be
// many times faster than binary libraries, which spend most of such a
// computation on printing its result. Long products use a number-theoretic
// transform (see the ntt package below this one), for which the radix does not
// matter.
//
// It is not a floating-point or fixed-point type, has no general division, and
// gains nothing for numbers that are never shown as text; math/big is the
// better choice there.
//
// Results are checked before they are returned: products and terms by their
// residue modulo a random 61-bit prime, roots by a proven error bound or by
// their exact remainder. A computation that fails its check returns
// [ErrCorrupt] and no result.
//
//	x, err := decimal.Fibonacci(ctx, 1_000_000)
//	if err != nil {
//		return err
//	}
//	head := x.AppendDigits(nil, 0, 20) // any part of a result, without the rest
package decimal
