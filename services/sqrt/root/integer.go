package root

import (
	"context"
	"fmt"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/decimal"
	"github.com/seed-649d3d38/heddle/solver"
)

// SolveInteger computes the largest integer whose square is not above x, and what is left
// over. The request must have passed its Validate. It returns ctx's error when ctx ends
// before the work, and [decimal.ErrCorrupt] when the result failed its check.
func SolveInteger(ctx context.Context, request contract.IntegerRootRequest) (contract.IntegerRootResult, error) {
	x, err := decimal.Parse(string(request.X))
	if err != nil {
		return contract.IntegerRootResult{}, fmt.Errorf("read x: %w", err)
	}
	root, remainder, err := calculator(ctx).Sqrt(ctx, x)
	if err != nil {
		return contract.IntegerRootResult{}, fmt.Errorf("compute the root of an integer of %d digits: %w", x.Digits(), err)
	}
	return contract.IntegerRootResult{Root: contract.Integer(root.String()), Remainder: contract.Integer(remainder.String())}, nil
}

// lightIntegerDigits is the number of digits up to which an integer root takes about a
// microsecond (BenchmarkSolveInteger).
const lightIntegerDigits = 100

// estimateInteger returns the cost of a request. Root and remainder each have half of the
// digits of x, or one more.
func estimateInteger(request contract.IntegerRootRequest) solver.Cost {
	digits := request.X.Digits()
	const envelope = 32 // {"root":"","remainder":""} and the odd digits, with room
	cost := solver.Cost{
		Light: digits <= lightIntegerDigits,
		// The digits of the results are there three times, as in estimateRoot.
		Memory: (bytesPerDigit + 3) * int64(digits),
		Result: int64(digits) + envelope,
	}
	if !cost.Light {
		estimate := decimal.EstimateRoot(digits/2 + 1)
		cost.Memory += estimate.Bytes
		cost.Slots = estimate.Threads
	}
	return cost
}
