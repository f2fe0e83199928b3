package fib

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/decimal"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib/internal/short"
	"github.com/seed-649d3d38/heddle/solver"
)

// MaxIndex is the largest |n| whose term is computed in full, as far as the memory of the
// instance allows: F(MaxIndex) has 836 million digits and takes 7 GB. With a modulus n is
// bounded by [contract.MaxTermDigits] only.
const MaxIndex = 4_000_000_000

// SolveTerm computes F(n), for negative n too, or F(n) modulo a number. The request must
// have passed its Validate. It returns an [*contract.Error] when n is beyond [MaxIndex]
// and there is no modulus, ctx's error when ctx ends before the work, and
// [decimal.ErrCorrupt] when the result failed its check.
func SolveTerm(ctx context.Context, request contract.TermRequest) (contract.TermResult, error) {
	var room [512]byte // enough for a short term, which is then allocated once
	digits := room[:0]
	if n, ok := index(request.N); ok && n <= short.MaxTerm && request.Modulus == "" {
		digits = short.AppendTerm(appendSign(digits, request.N, n), n)
	} else {
		x, err := computeTerm(ctx, request)
		if err != nil {
			return contract.TermResult{}, err
		}
		digits = x.AppendDecimal(digits)
	}
	value := contract.Integer(digits)
	return contract.TermResult{N: request.N, Value: value, Digits: value.Digits()}, nil
}

// appendSign appends the sign of F(n), given |n| as well.
func appendSign(dst []byte, n contract.Integer, magnitude uint64) []byte {
	if n.Negative() && magnitude%2 == 0 {
		return append(dst, '-')
	}
	return dst
}

// computeTerm returns the term that the request asks for.
func computeTerm(ctx context.Context, request contract.TermRequest) (decimal.Int, error) {
	if request.Modulus != "" {
		return computeModulo(ctx, request)
	}
	if _, ok := index(request.N); !ok {
		return decimal.Int{}, contract.Invalid("n", "must lie between -%d and %[1]d; send a modulus to go beyond", MaxIndex)
	}
	n, _ := request.N.Int64() // as |n| fits, n does
	x, err := calculator(ctx).Fibonacci(ctx, n)
	if err != nil {
		return decimal.Int{}, fmt.Errorf("compute a term: %w", err)
	}
	return x, nil
}

func computeModulo(ctx context.Context, request contract.TermRequest) (decimal.Int, error) {
	n, err := decimal.Parse(string(request.N))
	if err != nil {
		return decimal.Int{}, fmt.Errorf("read n: %w", err)
	}
	modulus, err := decimal.Parse(string(request.Modulus))
	if err != nil {
		return decimal.Int{}, fmt.Errorf("read modulus: %w", err)
	}
	x, err := decimal.FibonacciMod(ctx, n, modulus)
	if err != nil {
		return decimal.Int{}, fmt.Errorf("compute a term modulo a number of %d digits: %w", modulus.Digits(), err)
	}
	return x, nil
}

// calculator returns one that uses the slots of the work and reports its progress.
func calculator(ctx context.Context) *decimal.Calculator {
	c := &decimal.Calculator{Progress: func(done float64) { solver.ReportShare(ctx, done) }}
	if solver.Slots(ctx) == 1 {
		c.Threads = 1 // otherwise the length decides
	}
	return c
}

// index returns |n|, and whether it is at most MaxIndex.
func index(n contract.Integer) (uint64, bool) {
	v, err := strconv.ParseUint(strings.TrimPrefix(string(n), "-"), 10, 64)
	return v, err == nil && v <= MaxIndex
}

// digitsOf returns the number of decimal digits of F(n): ⌊n log10 φ - log10 √5⌋ + 1, from
// Binet's formula. In floating point it may be off by one where F(n) is next to a power
// of ten, which has not been seen to happen.
func digitsOf(n uint64) int {
	if n < 2 {
		return 1
	}
	const log10Phi, log10Root5 = 0.20898764024997873376927208923755541682245992399182, 0.34948500216800940239313055263775
	return int(math.Floor(float64(n)*log10Phi-log10Root5)) + 1
}

// The sizes up to which a request is light, that is, takes about a microsecond in full
// (BenchmarkSolveTerm), or four with a modulus of one word and 332 bits of n.
const (
	lightIndex         = 2_000
	lightIndexDigits   = 100
	lightModulusDigits = 19
)

// envelope is what the JSON of a result holds besides its numbers, in bytes:
// {"n":"","value":"","digits":} and the digits of "digits".
const envelope = 29 + 9

// estimateTerm returns the cost of a request.
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
	switch {
	case !ok:
		return solver.Cost{Light: true} // refused at once
	case n <= lightIndex:
		digits := int64(digitsOf(n))
		// The digits are there three times: appended, as a string, encoded.
		return solver.Cost{Light: true, Memory: 3 * digits, Result: digits + int64(nDigits) + envelope}
	}
	estimate := decimal.EstimateFibonacci(int64(n))
	// If the digits fit into a reply, they are written out once.
	return solver.Cost{Memory: estimate.Bytes + min(int64(digitsOf(n)), contract.MaxPart), Slots: estimate.Threads}
}
