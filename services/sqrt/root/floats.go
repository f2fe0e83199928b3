package root

import (
	"context"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/sqrt/floats"
	"github.com/seed-649d3d38/heddle/solver"
)

// SolveFloats computes the IEEE 754 square root of each value: the double nearest to the
// root, and -0 for -0. A negative value has NaN, which is null in JSON, and an entry in
// Errors. The request must have passed its Validate. There are no errors, and the work is
// too short for a look at the context.
func SolveFloats(_ context.Context, request contract.FloatsRequest) (contract.FloatsResult, error) {
	result := contract.FloatsResult{Roots: make(contract.Floats, len(request.Values))}
	if !floats.Roots(result.Roots, request.Values) {
		return result, nil
	}
	for i, v := range request.Values {
		if v < 0 {
			result.Errors = append(result.Errors, contract.NoRoot(i))
		}
	}
	return result, nil
}

const (
	// lightFloats is the number of values up to which a request is light even if none of
	// them has a root.
	lightFloats = 64

	// bytesPerFloat is the memory of a value without a root, the most expensive kind: its
	// entry in Errors, and that in JSON.
	bytesPerFloat = 400
)

// estimateFloats returns the cost of a request. The size of the result depends on how many
// digits the roots have and is not known before.
func estimateFloats(request contract.FloatsRequest) solver.Cost {
	n := len(request.Values)
	return solver.Cost{Light: n <= lightFloats, Memory: bytesPerFloat * int64(n)}
}
