// Package engine is the arithmetic behind the square root solver: digits in, digits out.
//
// It knows no requests, no error codes and no rounding modes: it returns a root cut off,
// and what the part that was cut off amounts to, from which every rounding follows. The
// only errors it returns are those of the context. Inside, numbers are math/big's.
//
//	root, err := engine.Sqrt(ctx, "2", "1", 10) // "14142135623", BelowHalf
package engine

import (
	"context"
	"math/big"
	"strings"

	"github.com/seed-649d3d38/heddle/services/internal/radix"
)

// Rest is the part of a root below its last digit, in units of that digit.
type Rest int

// The rests, in their order.
const (
	Zero      Rest = iota // none: the digits are the root itself
	BelowHalf             // above 0 and below 1/2
	Half                  // 1/2
	AboveHalf             // above 1/2 and below 1
)

// Root is a root in units of its last digit: its digits, and what they leave out.
type Root struct {
	// Digits are the decimal digits of the whole units, without zeros in front.
	Digits []byte
	// Rest is what is left.
	Rest Rest
}

// Sqrt returns the square root of p/q in units of 10^-scale. It takes p ≥ 0 and q > 0 in
// decimal digits and scale ≥ 0, and fails when ctx ends. The time depends on the number
// of digits of p, q and the root.
func Sqrt(ctx context.Context, p, q string, scale int) (Root, error) {
	n, fraction, err := scaled(ctx, p, q, 2*scale)
	if err != nil {
		return Root{}, err
	}
	root, remainder, err := sqrtRem(ctx, n)
	if err != nil {
		return Root{}, err
	}
	digits, err := radix.Append(ctx, nil, root)
	if err != nil {
		return Root{}, err
	}
	return Root{Digits: digits, Rest: rest(root, remainder, fraction)}, nil
}

// rest compares n + f, for n = s² + r and f a fraction of 1, with the squares of s and of
// s + 1/2, which is s² + s + 1/4.
func rest(s, r *big.Int, f fraction) Rest {
	switch c := r.Cmp(s); {
	case r.Sign() == 0 && f.zero:
		return Zero
	case c < 0:
		return BelowHalf
	case c > 0:
		return AboveHalf
	default:
		return BelowHalf + Rest(f.againstQuarter+1)
	}
}

// fraction is what [rest] has to know of a number f with 0 ≤ f < 1.
type fraction struct {
	zero           bool
	againstQuarter int // -1, 0 or 1: f is below, equal to or above 1/4
}

// scaled returns p·10^exponent / q as a whole number and a fraction. When q is a power of
// ten, as in a decimal fraction, the digits of p need no division.
func scaled(ctx context.Context, p, q string, exponent int) (*big.Int, fraction, error) {
	if zeros, ok := strings.CutPrefix(q, "1"); ok && strings.Trim(zeros, "0") == "" {
		whole, after := shifted(p, exponent-len(zeros))
		n, err := product(ctx, whole, max(exponent-len(zeros), 0))
		return n, after, err
	}
	numerator, err := product(ctx, p, exponent)
	if err != nil {
		return nil, fraction{}, err
	}
	denominator, err := radix.Parse(ctx, q)
	if err != nil {
		return nil, fraction{}, err
	}
	whole, remainder := new(big.Int).QuoRem(numerator, denominator, new(big.Int))
	zero := remainder.Sign() == 0
	return whole, fraction{zero, remainder.Lsh(remainder, 2).Cmp(denominator)}, nil
}

// shifted cuts off the digits of p that lie after the point when p is multiplied by
// 10^exponent, and says what fraction they are. A positive exponent cuts off nothing.
func shifted(p string, exponent int) (whole string, after fraction) {
	places := max(-exponent, 0)
	cut := max(len(p)-places, 0)
	whole, digits := p[:cut], strings.TrimRight(p[cut:], "0")
	if whole == "" {
		whole = "0"
	}
	// As text, digits after a point compare like the numbers they are.
	after = fraction{zero: digits == "", againstQuarter: strings.Compare(digits, "25")}
	if places > len(p) { // there are zeros between the point and the digits
		after.againstQuarter = -1
	}
	return whole, after
}

// product returns p·10^exponent.
func product(ctx context.Context, p string, exponent int) (*big.Int, error) {
	n, err := radix.Parse(ctx, p)
	if err != nil || n.Sign() == 0 {
		return n, err
	}
	power, err := radix.Pow10(ctx, exponent)
	if err != nil {
		return nil, err
	}
	return power.Mul(power, n), nil
}
