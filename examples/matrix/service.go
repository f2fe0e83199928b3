package main

import (
	"context"
	"math/bits"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/solver"
)

// maxSafe, 2^53-1, is the largest number that every JSON implementation reads exactly.
const maxSafe = 1<<53 - 1

// scaleRequest asks for some rows times a number.
type scaleRequest struct {
	Rows   [][]int64 `json:"rows" doc:"Rows of whole numbers up to 2^53-1 in size."`
	Scalar *int64    `json:"scalar" doc:"Whole number up to 2^53-1 in size."`
}

// scaleResult is the rows times the number.
type scaleResult struct {
	Rows [][]int64 `json:"rows" doc:"The rows, multiplied."`
}

var scale = contract.Define(
	contract.Spec{Service: "matrix", Operation: "scale", Summary: "Some rows of a matrix times a number", Pure: true},
	contract.Example[scaleRequest, scaleResult]{
		Request: scaleRequest{Rows: [][]int64{{1, 2}, {3, 4}}, Scalar: new(int64(4))},
		Result:  scaleResult{Rows: [][]int64{{4, 8}, {12, 16}}},
	},
)

// service is what the instances solve.
func service() solver.Service {
	return solver.Service{
		Name: "matrix", Version: "1.0.0", Description: "A matrix times a number",
		Operations: []solver.Operation{solver.Bind(scale, solveScale)},
	}
}

func solveScale(_ context.Context, r scaleRequest) (scaleResult, error) {
	result := scaleResult{Rows: make([][]int64, len(r.Rows))}
	for i, row := range r.Rows {
		result.Rows[i] = make([]int64, len(row))
		for j, v := range row {
			if !fits(v, *r.Scalar) {
				return scaleResult{}, contract.Invalid("scalar", "times %d is beyond 2^53-1", v)
			}
			result.Rows[i][j] = v * *r.Scalar
		}
	}
	return result, nil
}

// fits reports whether the product of two numbers up to maxSafe is one too.
func fits(a, b int64) bool {
	high, low := bits.Mul64(uint64(max(a, -a)), uint64(max(b, -b)))
	return high == 0 && low <= maxSafe
}

// Validate checks that everything is there and within its limits.
func (r scaleRequest) Validate() error {
	switch {
	case r.Rows == nil:
		return contract.Invalid("rows", "is missing; send rows of numbers, such as [[1, 2], [3, 4]]")
	case r.Scalar == nil:
		return contract.Invalid("scalar", "is missing; send a number")
	case *r.Scalar > maxSafe || *r.Scalar < -maxSafe:
		return contract.Invalid("scalar", "must not be beyond 2^53-1")
	}
	for _, row := range r.Rows {
		for _, v := range row {
			if v > maxSafe || v < -maxSafe {
				return contract.Invalid("rows", "must have no number beyond 2^53-1")
			}
		}
	}
	return nil
}
