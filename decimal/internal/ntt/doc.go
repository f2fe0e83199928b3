// Package ntt multiplies vectors of decimal limbs exactly and fast.
//
// A number is a little-endian slice of limbs, each below a radix of [Radix12]
// (10^12) or [Radix11] (10^11). Two such numbers are multiplied as
// polynomials: both are transformed modulo two primes just below 2^50, the
// transforms are multiplied point by point, transformed back, and every
// coefficient is rebuilt from its two residues and carried into limbs in one
// pass. Nothing is rounded and no radix is ever converted, so a result is ready
// to be printed.
//
// The work is split into steps so that a caller can keep a transformed operand
// and use it again, or add products before the way back:
//
//	plan, err := ntt.Default().NewPlan(ntt.Shape{Limbs: len(a) + len(b), Radix: ntt.Radix12})
//	…
//	err = plan.Product(ctx, z, a, b)
//
// or, step by step, with [Plan.Forward], [Plan.Mul], [Plan.Sqr], [Plan.Add] and
// [Plan.Inverse] on vectors from [Plan.NewVector].
//
// An [Engine] holds the tables and buffers of one [Tier]: hand-written vector
// code where the machine has it, plain Go everywhere. All tiers give identical
// limbs.
//
// The package is not a number type: it knows no signs, no lengths other than
// those of the slices it is given, and below about a hundred limbs a schoolbook
// product is faster.
package ntt
