package root

import (
	"context"
	"fmt"
	"strings"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/decimal"
	"github.com/seed-649d3d38/heddle/solver"
)

// MaxDigits is the largest number of digits after the point, as far as the memory of the
// instance allows: with that many the root of 2 takes 1.5 GB.
const MaxDigits = 100_000_000

// SolveRoot computes the square root of a rational number, rounded to the digits after
// the point that are asked for. The request must have passed its Validate. It returns an
// [*contract.Error] when the digits are more than [MaxDigits], ctx's error when ctx ends
// before the work, and [decimal.ErrCorrupt] when the result failed its check.
func SolveRoot(ctx context.Context, request contract.RootRequest) (contract.RootResult, error) {
	r, err := computeRoot(ctx, request)
	if err != nil {
		return contract.RootResult{}, err
	}
	return contract.RootResult{Value: string(r.value.AppendFixed(nil, r.places)), Exact: r.exact}, nil
}

// rounded is a root: value divided by 10^places. It is a [contract.RootResult] whose value
// is not written out.
type rounded struct {
	value  decimal.Int
	places int
	exact  bool // it is the root itself
}

// computeRoot returns the root that the request asks for.
func computeRoot(ctx context.Context, request contract.RootRequest) (rounded, error) {
	places := digitsOf(request)
	if places > MaxDigits {
		return rounded{}, contract.Invalid("digits", "must be at most %d", MaxDigits)
	}
	mode := decimal.Rounding(request.Rounding) // the names are the same, as a test checks
	if mode == "" {
		mode = decimal.HalfEven
	}
	p, q, digits, err := split(request.X, places)
	if err != nil {
		return rounded{}, fmt.Errorf("read x: %w", err)
	}
	value, exact, err := calculator(ctx).Root(ctx, p, q, digits, mode)
	if err != nil {
		return rounded{}, fmt.Errorf("compute a root to %d digits: %w", places, err)
	}
	return rounded{value, places, exact}, nil
}

// solveRoot is SolveRoot for hosts: it leaves a root that may be long in its internal form.
func solveRoot(ctx context.Context, request contract.RootRequest) (contract.RootResult, solver.Long, error) {
	if estimateRoot(request).Light {
		result, err := SolveRoot(ctx, request)
		return result, nil, err
	}
	r, err := computeRoot(ctx, request)
	if err != nil {
		return contract.RootResult{}, nil, err
	}
	return contract.RootResult{}, r, nil
}

// split returns p, q and digits so that the root of p/q to so many digits, as an integer,
// is that of x to so many places. A decimal fraction needs no denominator as long as its
// digits are fewer than those of the square of the unit.
func split(x contract.Rational, places int) (p, q decimal.Int, digits int, err error) {
	numerator, denominator, quotient := strings.Cut(string(x), "/")
	digits = places
	if !quotient {
		whole, fraction, _ := strings.Cut(numerator, ".")
		if len(fraction)%2 == 1 {
			fraction += "0"
		}
		numerator, denominator = whole+fraction, "1"
		digits -= len(fraction) / 2
		if digits < 0 {
			denominator += strings.Repeat("00", -digits)
			digits = 0
		}
	}
	if p, err = decimal.Parse(numerator); err != nil {
		return p, q, 0, err
	}
	q, err = decimal.Parse(denominator)
	return p, q, digits, err
}

func digitsOf(request contract.RootRequest) int {
	if request.Digits == nil {
		return contract.DefaultRootDigits
	}
	return *request.Digits
}

// calculator returns one that uses the slots of the work and reports its progress.
func calculator(ctx context.Context) *decimal.Calculator {
	c := &decimal.Calculator{Progress: func(done float64) { solver.ReportShare(ctx, done) }}
	if solver.Slots(ctx) == 1 {
		c.Threads = 1 // otherwise the length decides
	}
	return c
}

// lightDigits is the number of digits under a root, in its integer form, up to which the
// root takes some two microseconds, or five with a denominator beyond 64 bits
// (BenchmarkSolveRoot).
const lightDigits = 300

// estimateRoot returns the cost of a request. The number under the root, made an integer,
// has the digits of x and two for each digit of the root.
func estimateRoot(request contract.RootRequest) solver.Cost {
	places := digitsOf(request)
	if places > MaxDigits {
		return solver.Cost{Light: true} // refused at once
	}
	digits := (wholeDigits(request.X)+1)/2 + places
	if len(request.X)+2*places <= lightDigits {
		const envelope = 32 // {"value":"","exact":false} and the point, with room
		// The digits are there three times: appended, as a string, encoded.
		return solver.Cost{Light: true, Memory: 3 * int64(digits), Result: int64(digits) + envelope}
	}
	estimate := decimal.EstimateRoot(digits)
	memory := estimate.Bytes
	if longDenominator(request.X) {
		memory *= 3 // measured: 1.8 to 2.8 times as much
	}
	// If the digits fit into a reply, they are written out once.
	memory += bytesPerDigit*int64(len(request.X)) + min(int64(digits), contract.MaxPart)
	return solver.Cost{Memory: memory, Slots: estimate.Threads}
}

// bytesPerDigit is the memory that the digits of x take beside that of the root, measured.
const bytesPerDigit = 12

// longDenominator reports whether x is a quotient whose denominator may not fit into 64
// bits.
func longDenominator(x contract.Rational) bool {
	_, q, _ := strings.Cut(string(x), "/")
	return len(q) > 19
}

// wholeDigits returns a bound on the number of digits of x before the point.
func wholeDigits(x contract.Rational) int {
	p, q, _ := strings.Cut(string(x), "/")
	whole, _, _ := strings.Cut(p, ".")
	whole = strings.TrimLeft(whole, "+-0")
	if q = strings.TrimLeft(q, "0"); q == "" {
		return len(whole)
	}
	return max(len(whole)-len(q)+1, 0) // q is at least 10^(len(q)-1)
}
