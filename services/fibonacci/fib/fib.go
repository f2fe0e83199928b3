// Package fib solves the Fibonacci problem: single terms, exact at any size, or modulo a
// number, and runs of consecutive terms.
//
// It turns requests of the contract into calls of package decimal, and numbers into
// results. It hosts nothing: a host runs what [Service] returns, and any Go program may
// call the solvers directly.
//
//	result, err := fib.SolveTerm(ctx, contract.TermRequest{N: "100"})
//	// result.Value == "354224848179261915075"
package fib

import (
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/decimal"
	"github.com/seed-649d3d38/heddle/solver"
)

// Service returns the fibonacci service with its operations.
func Service() solver.Service {
	return solver.Service{
		Name:        contract.FibonacciTerm.Service,
		Version:     "1.0.0",
		Description: "Terms of the Fibonacci sequence, exact at any size",
		Idle:        new(decimal.Calculator).Trim,
		Operations: []solver.Operation{
			solver.BindLong(contract.FibonacciTerm, solveTerm, estimateTerm),
			solver.BindLong(contract.FibonacciSequence, solveSequence, estimateSequence),
		},
	}
}
