// Package root solves the square root problem: roots of rational numbers to any number
// of digits, integer roots with remainder, and roots of many floating-point numbers.
//
// It turns requests of the contract into calls of package decimal, which rounds, and
// numbers into results. It hosts nothing: a host runs what [Service] returns, and any Go
// program may call the solvers directly.
//
//	result, err := root.SolveRoot(ctx, contract.RootRequest{X: "2", Digits: new(30)})
//	// result.Value == "1.414213562373095048801688724210"
package root

import (
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/decimal"
	"github.com/seed-649d3d38/heddle/solver"
)

// Service returns the sqrt service with its operations.
func Service() solver.Service {
	return solver.Service{
		Name:        contract.SqrtRoot.Service,
		Version:     "1.0.0",
		Description: "Square roots: to any number of digits, of integers, of many floats",
		Idle:        new(decimal.Calculator).Trim,
		Operations: []solver.Operation{
			solver.BindLong(contract.SqrtRoot, solveRoot, estimateRoot),
			solver.BindEstimated(contract.SqrtInteger, SolveInteger, estimateInteger),
			solver.BindEstimated(contract.SqrtFloats, SolveFloats, estimateFloats),
		},
	}
}
