package main

import (
	"context"
	"slices"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/solver"
)

// maxValues is how many numbers a request may carry, and maxSafe, 2^53-1, the largest
// that every JSON implementation reads exactly.
const (
	maxValues = 40_000
	maxSafe   = 1<<53 - 1
)

// numbers are a part to be sorted, or a part that is.
type numbers struct {
	Values []int64 `json:"values" maxItems:"40000" doc:"Whole numbers up to 2^53-1 in size."`
}

// pair is two parts to be merged.
type pair struct {
	Left  []int64 `json:"left" maxItems:"40000" doc:"Whole numbers in order."`
	Right []int64 `json:"right" maxItems:"40000" doc:"Whole numbers in order."`
}

var (
	sortPart = contract.Define(
		contract.Spec{Service: "mergesort", Operation: "sort", Summary: "Sort a part", Pure: true},
		contract.Example[numbers, numbers]{Request: numbers{[]int64{3, 1, 3}}, Result: numbers{[]int64{1, 3, 3}}},
	)
	mergeParts = contract.Define(
		contract.Spec{Service: "mergesort", Operation: "merge", Summary: "Merge two sorted parts", Pure: true},
		contract.Example[pair, numbers]{Request: pair{[]int64{1, 4}, []int64{2}}, Result: numbers{[]int64{1, 2, 4}}},
	)
)

// service is what the instances solve.
func service() solver.Service {
	return solver.Service{
		Name: "mergesort", Version: "1.0.0", Description: "The steps of a merge sort",
		Operations: []solver.Operation{solver.Bind(sortPart, solveSort), solver.Bind(mergeParts, solveMerge)},
	}
}

func solveSort(_ context.Context, r numbers) (numbers, error) {
	return numbers{slices.Sorted(slices.Values(r.Values))}, nil
}

func solveMerge(_ context.Context, r pair) (numbers, error) {
	left, right := r.Left, r.Right
	merged := make([]int64, 0, len(left)+len(right))
	for len(left) > 0 && len(right) > 0 {
		if right[0] < left[0] {
			merged, right = append(merged, right[0]), right[1:]
		} else {
			merged, left = append(merged, left[0]), left[1:]
		}
	}
	return numbers{slices.Concat(merged, left, right)}, nil
}

// Validate checks the size of the part and of its numbers.
func (r numbers) Validate() error { return check("values", r.Values) }

// Validate checks the same of both parts, and their order.
func (r pair) Validate() error {
	if err := check("left", r.Left); err != nil {
		return err
	}
	if err := check("right", r.Right); err != nil {
		return err
	}
	switch {
	case !slices.IsSorted(r.Left):
		return contract.Invalid("left", "must be in order; sort it first")
	case !slices.IsSorted(r.Right):
		return contract.Invalid("right", "must be in order; sort it first")
	}
	return nil
}

func check(field string, values []int64) error {
	switch {
	case values == nil:
		return contract.Invalid(field, "is missing; send a list of numbers, such as [3, 1, 2]")
	case len(values) > maxValues:
		return contract.Invalid(field, "must have at most %d numbers", maxValues)
	}
	for _, v := range values {
		if v > maxSafe || v < -maxSafe {
			return contract.Invalid(field, "must have no number beyond 2^53-1")
		}
	}
	return nil
}
