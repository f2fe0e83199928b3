package fib

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib/internal/engine"
	"github.com/seed-649d3d38/heddle/solver"
)

// MaxIndex is the largest |n| whose term is computed in full. With a modulus n is bounded
// by [contract.MaxTermDigits] only.
const MaxIndex = engine.MaxTerm

// SolveTerm computes F(n), for negative n too, or F(n) modulo a number. The request must
// have passed its Validate. It returns an [*contract.Error] when n is beyond [MaxIndex]
// and there is no modulus, and ctx's error when ctx ends before the work; it looks at ctx
// between the steps of the arithmetic, the longest of which takes two seconds.
func SolveTerm(ctx context.Context, request contract.TermRequest) (contract.TermResult, error) {
	var room [512]byte // enough for a small term, which is then allocated once
	digits, err := appendTerm(ctx, room[:0], request)
	if err != nil {
		return contract.TermResult{}, err
	}
	value := contract.Integer(digits)
	return contract.TermResult{N: request.N, Value: value, Digits: value.Digits()}, nil
}

// appendTerm appends the digits of the term that the request asks for, with its sign.
func appendTerm(ctx context.Context, dst []byte, request contract.TermRequest) ([]byte, error) {
	if request.Modulus != "" {
		dst, err := engine.AppendModular(ctx, dst, string(request.N), string(request.Modulus))
		if err != nil {
			return nil, fmt.Errorf("compute a term modulo a number of %d digits: %w", request.Modulus.Digits(), err)
		}
		return dst, nil
	}
	n, ok := index(request.N)
	if !ok {
		return nil, contract.Invalid("n", "must lie between -%d and %[1]d; send a modulus to go beyond", MaxIndex)
	}
	if request.N.Negative() && n%2 == 0 {
		dst = append(dst, '-')
	}
	dst, err := engine.AppendTerm(ctx, dst, n)
	if err != nil {
		return nil, fmt.Errorf("compute F(%s): %w", request.N, err)
	}
	return dst, nil
}

// index returns |n|, and whether it is at most MaxIndex.
func index(n contract.Integer) (uint64, bool) {
	v, err := strconv.ParseUint(strings.TrimPrefix(string(n), "-"), 10, 64)
	return v, err == nil && v <= MaxIndex
}

// The sizes up to which a term with a modulus is light: 332 bits of n take about 4
// microseconds when the modulus has one word.
const (
	lightIndexDigits   = 100
	lightModulusDigits = 19
)

// envelope is what the JSON of a result holds besides its numbers, in bytes:
// {"n":"","value":"","digits":} and the digits of "digits".
const envelope = 29 + 8

// estimateTerm returns the cost of a request. Beside the size of the term everything is
// small change.
func estimateTerm(request contract.TermRequest) solver.Cost {
	nDigits, mDigits := request.N.Digits(), request.Modulus.Digits()
	if mDigits > 0 {
		return solver.Cost{
			Light:  nDigits <= lightIndexDigits && mDigits <= lightModulusDigits,
			Memory: int64(4*nDigits + 16*mDigits),
			Result: int64(nDigits + mDigits + envelope),
		}
	}
	n, ok := index(request.N)
	if !ok {
		return solver.Cost{Light: true} // refused at once
	}
	digits := int64(engine.Digits(n))
	return solver.Cost{
		Light: n <= engine.MaxSmall,
		// Five binary numbers of 0.42 bytes a digit, the powers for the conversion,
		// and the digits three times: appended, as a string, encoded.
		Memory: 12 * digits,
		Result: digits + int64(nDigits) + envelope,
	}
}
