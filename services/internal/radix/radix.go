// Package radix turns decimal text into binary big numbers and back, for solvers
// whose arithmetic is math/big.
//
// It exists because math/big reads decimal text in quadratic time and writes it in one
// call that cannot be stopped. Here both split the number in halves, and the context is
// honoured between the parts; a single product or division of math/big still runs to
// its end. The package does no other arithmetic.
//
//	x, err := radix.Parse(ctx, "1000000007")
//	digits, err := radix.Append(ctx, nil, x)
//
// Method: R. Brent and P. Zimmermann, Modern Computer Arithmetic, section 1.7.2.
package radix

import (
	"bytes"
	"context"
	"errors"
	"math/big"
	"math/bits"
	"slices"
	"strconv"
)

// The sizes in digits up to which math/big converts a part in one call. Below them it
// is faster than splitting further.
const (
	parseLeaf  = 1 << 10
	appendLeaf = 1 << 12
)

// Parse returns the number that the decimal digits, with an optional minus sign before
// them, stand for. It fails if there is anything else in the text, or when ctx ends.
func Parse(ctx context.Context, text string) (*big.Int, error) {
	digits := text
	negative := len(text) > 0 && text[0] == '-'
	if negative {
		digits = text[1:]
	}
	powers, err := powersBelow(ctx, parseLeaf, len(digits))
	if err != nil {
		return nil, err
	}
	x, err := parse(ctx, digits, powers)
	if err != nil {
		return nil, err
	}
	if negative {
		x.Neg(x)
	}
	return x, nil
}

// parse reads the upper and the lower digits apart and puts them together. The last of
// the powers is the largest that the digits may be split by.
func parse(ctx context.Context, digits string, powers []*big.Int) (*big.Int, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(digits) <= parseLeaf {
		return parseAtOnce(digits)
	}
	last := len(powers) - 1
	low := parseLeaf << last // digits in the lower part
	if len(digits) <= low {
		return parse(ctx, digits, powers[:last])
	}
	x, err := parse(ctx, digits[:len(digits)-low], powers[:last])
	if err != nil {
		return nil, err
	}
	y, err := parse(ctx, digits[len(digits)-low:], powers[:last])
	if err != nil {
		return nil, err
	}
	product := new(big.Int).Mul(x, powers[last])
	return product.Add(product, y), nil
}

func parseAtOnce(digits string) (*big.Int, error) {
	v, err := strconv.ParseUint(digits, 10, 64)
	if err == nil {
		return new(big.Int).SetUint64(v), nil
	}
	// ParseUint refuses the sign that SetString would take.
	x, ok := new(big.Int).SetString(digits, 10)
	if !ok || errors.Is(err, strconv.ErrSyntax) {
		return nil, errors.New("read decimal digits: there is something else in the text")
	}
	return x, nil
}

// Append appends the decimal digits of x, after a minus sign if it is negative, to dst.
// It fails when ctx ends.
func Append(ctx context.Context, dst []byte, x *big.Int) ([]byte, error) {
	if x.Sign() < 0 {
		dst = append(dst, '-')
		x = new(big.Int).Neg(x)
	}
	powers, err := powersBelow(ctx, appendLeaf, digitsAtMost(x))
	if err != nil {
		return nil, err
	}
	return appendDigits(ctx, dst, x, powers, 0)
}

// appendDigits appends x, with zeros in front up to the width. The last of the powers is
// the largest that x may be split by.
func appendDigits(ctx context.Context, dst []byte, x *big.Int, powers []*big.Int, width int) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	last := len(powers) - 1
	switch {
	case last < 0:
		return appendPadded(dst, x, width), nil
	case x.Cmp(powers[last]) < 0 && width == 0:
		return appendDigits(ctx, dst, x, powers[:last], 0)
	}
	low := appendLeaf << last // digits in the lower part
	upper, lower := new(big.Int).QuoRem(x, powers[last], new(big.Int))
	dst, err := appendDigits(ctx, dst, upper, powers[:last], max(width-low, 0))
	if err != nil {
		return nil, err
	}
	return appendDigits(ctx, dst, lower, powers[:last], low)
}

func appendPadded(dst []byte, x *big.Int, width int) []byte {
	start := len(dst)
	dst = x.Append(dst, 10)
	missing := max(width-(len(dst)-start), 0)
	return slices.Insert(dst, start, bytes.Repeat([]byte{'0'}, missing)...)
}

// digitsAtMost returns a bound on the number of decimal digits of x: log10(2) < 0.30103.
func digitsAtMost(x *big.Int) int {
	hi, lo := bits.Mul64(uint64(x.BitLen()), 30_103)
	q, _ := bits.Div64(hi, lo, 100_000)
	return int(q) + 1
}

// powersBelow returns 10^leaf, 10^(2 leaf), 10^(4 leaf) and so on, as far as they have a
// use in splitting a number of so many digits.
func powersBelow(ctx context.Context, leaf, digits int) ([]*big.Int, error) {
	if digits <= leaf {
		return nil, nil
	}
	power, err := Pow10(ctx, leaf)
	if err != nil {
		return nil, err
	}
	powers := []*big.Int{power}
	for size := 2 * leaf; size < digits; size *= 2 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		power = new(big.Int).Mul(power, power)
		powers = append(powers, power)
	}
	return powers, nil
}

// Pow10 returns 10^n for n ≥ 0. It fails when ctx ends.
func Pow10(ctx context.Context, n int) (*big.Int, error) {
	// 10^n is 5^n shifted, which halves the length of the products' operands.
	power, square := big.NewInt(1), new(big.Int)
	five := big.NewInt(5)
	for i := bits.Len(uint(n)) - 1; i >= 0; i-- {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		square.Mul(power, power)
		if n>>i&1 == 1 {
			square.Mul(square, five)
		}
		power, square = square, power
	}
	return power.Lsh(power, uint(n)), nil
}
