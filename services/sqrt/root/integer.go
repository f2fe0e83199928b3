package root

import (
	"context"
	"fmt"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/sqrt/root/internal/engine"
	"github.com/seed-649d3d38/heddle/solver"
)

// SolveInteger computes the largest integer whose square is not above x, and what is left
// over. The request must have passed its Validate. It returns ctx's error when ctx ends
// before the work.
func SolveInteger(ctx context.Context, request contract.IntegerRootRequest) (contract.IntegerRootResult, error) {
	root, remainder, err := engine.Integer(ctx, string(request.X))
	if err != nil {
		return contract.IntegerRootResult{}, fmt.Errorf("compute the root of an integer of %d digits: %w", request.X.Digits(), err)
	}
	return contract.IntegerRootResult{Root: contract.Integer(root), Remainder: contract.Integer(remainder)}, nil
}

// lightIntegerDigits is the number of digits up to which an integer root takes some five
// microseconds.
const lightIntegerDigits = 100

// estimateInteger returns the cost of a request. Root and remainder each have half of the
// digits of x, or one more.
func estimateInteger(request contract.IntegerRootRequest) solver.Cost {
	digits := int64(request.X.Digits())
	const envelope = 32 // {"root":"","remainder":""} and the odd digits, with room
	return solver.Cost{
		Light:  digits <= lightIntegerDigits,
		Memory: bytesPerDigit * digits,
		Result: digits + envelope,
	}
}
