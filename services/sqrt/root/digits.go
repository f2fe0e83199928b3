package root

import (
	"context"
	"fmt"
	"strings"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/sqrt/root/internal/engine"
	"github.com/seed-649d3d38/heddle/solver"
)

// MaxDigits is the largest number of digits after the point. With that many the root of 2
// takes one core of 4 GHz half a second.
const MaxDigits = 1_000_000

// SolveRoot computes the square root of a rational number, rounded to the digits after
// the point that are asked for. The request must have passed its Validate. It returns an
// [*contract.Error] when the digits are more than [MaxDigits], and ctx's error when ctx
// ends before the work; it looks at ctx between the steps of the arithmetic, which are
// well below a second.
func SolveRoot(ctx context.Context, request contract.RootRequest) (contract.RootResult, error) {
	digits := digitsOf(request)
	if digits > MaxDigits {
		return contract.RootResult{}, contract.Invalid("digits", "must be at most %d", MaxDigits)
	}
	p, q := request.X.Split()
	root, err := engine.Sqrt(ctx, string(p), string(q), digits)
	if err != nil {
		return contract.RootResult{}, fmt.Errorf("compute a root to %d digits: %w", digits, err)
	}
	if roundsAway(request.Rounding, root) {
		root.Digits = increment(root.Digits)
	}
	return contract.RootResult{
		Value: withPoint(root.Digits, digits),
		Exact: root.Rest == engine.Zero,
	}, nil
}

func digitsOf(request contract.RootRequest) int {
	if request.Digits == nil {
		return contract.DefaultRootDigits
	}
	return *request.Digits
}

// roundsAway reports whether the rounding leads from the digits of the root, which are cut
// off, to the next larger ones.
func roundsAway(rounding contract.Rounding, root engine.Root) bool {
	switch rounding {
	case contract.RoundDown, contract.RoundFloor:
		return false
	case contract.RoundUp, contract.RoundCeiling:
		return root.Rest != engine.Zero
	case contract.RoundHalfUp:
		return root.Rest >= engine.Half
	case contract.RoundHalfDown:
		return root.Rest > engine.Half
	default: // half_even
		last := root.Digits[len(root.Digits)-1]
		return root.Rest > engine.Half || root.Rest == engine.Half && last%2 == 1 // '0' is even
	}
}

// increment returns the digits of the next integer. It changes the digits in place.
func increment(digits []byte) []byte {
	for i := len(digits) - 1; i >= 0; i-- {
		if digits[i] < '9' {
			digits[i]++
			return digits
		}
		digits[i] = '0'
	}
	return append([]byte{'1'}, digits...)
}

// withPoint writes the integer in digits as a number with so many places after the point.
func withPoint(digits []byte, places int) string {
	if places == 0 {
		return string(digits)
	}
	var b strings.Builder
	b.Grow(max(len(digits), places+1) + 1)
	whole := max(len(digits)-places, 0)
	if whole == 0 {
		b.WriteByte('0')
	}
	b.Write(digits[:whole])
	b.WriteByte('.')
	b.WriteString(strings.Repeat("0", max(places-len(digits), 0)))
	b.Write(digits[whole:])
	return b.String()
}

// lightDigits is the number of digits under a root, in its integer form, up to which the
// root takes some five microseconds.
const lightDigits = 300

// estimateRoot returns the cost of a request. The number under the root, made an integer,
// has the digits of x and two for each digit of the root.
func estimateRoot(request contract.RootRequest) solver.Cost {
	digits := digitsOf(request)
	if digits > MaxDigits {
		return solver.Cost{Light: true} // refused at once
	}
	work := int64(len(request.X) + 2*digits)
	const envelope = 32 // {"value":"","exact":false} and the point, with room
	return solver.Cost{
		Light:  work <= lightDigits,
		Memory: bytesPerDigit * work,
		Result: int64((wholeDigits(request.X)+1)/2+digits) + envelope,
	}
}

// bytesPerDigit is the peak memory of a root for each digit of the number under it,
// measured.
const bytesPerDigit = 10

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
