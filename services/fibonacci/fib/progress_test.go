package fib_test

import (
	"testing"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
	"github.com/seed-649d3d38/heddle/solver"
)

// TestProgress computes a long term and hears how far that has come.
func TestProgress(t *testing.T) {
	t.Parallel()
	var heard []contract.Progress
	ctx := solver.WithProgress(t.Context(), func(p contract.Progress) { heard = append(heard, p) })
	if _, err := fib.SolveTerm(ctx, contract.TermRequest{N: "3000000"}); err != nil {
		t.Fatal(err)
	}
	if len(heard) < 3 || heard[len(heard)-1] != (contract.Progress{Done: 100, Total: 100, Unit: "%"}) {
		t.Errorf("heard %v", heard)
	}
}
