package decimal

import (
	"math"
	"math/bits"
)

// uint128 is hi·2^64 + lo. Differences wrap around and may be read as two's
// complement.
type uint128 struct{ hi, lo uint64 }

func mul64(a, b uint64) uint128 {
	hi, lo := bits.Mul64(a, b)
	return uint128{hi, lo}
}

func (a uint128) add(b uint128) uint128 {
	lo, carry := bits.Add64(a.lo, b.lo, 0)
	hi, _ := bits.Add64(a.hi, b.hi, carry)
	return uint128{hi, lo}
}

func (a uint128) sub(b uint128) uint128 {
	lo, borrow := bits.Sub64(a.lo, b.lo, 0)
	hi, _ := bits.Sub64(a.hi, b.hi, borrow)
	return uint128{hi, lo}
}

// times returns a·v modulo 2^128.
func (a uint128) times(v uint64) uint128 { //nolint:unparam // general, though used for one base
	p := mul64(a.lo, v)
	p.hi += a.hi * v
	return p
}

// negative reads a as two's complement.
func (a uint128) negative() bool { return int64(a.hi) < 0 }

// float reads a as two's complement; the relative error is below 2^-51.
func (a uint128) float() float64 { return float64(int64(a.hi))*0x1p64 + float64(a.lo) }

// sqrt returns the integer square root of a, which must be below 10^36.
func (a uint128) sqrt() uint64 {
	s := uint64(math.Sqrt(a.float()))
	if s == 0 {
		return 0
	}
	// The floating-point root is right to 50 bits, one Newton step to 64.
	s += uint64(int64(a.sub(mul64(s, s)).float() / (2 * float64(s))))
	for a.sub(mul64(s, s)).negative() {
		s--
	}
	for !a.sub(mul64(s+1, s+1)).negative() {
		s++
	}
	return s
}
