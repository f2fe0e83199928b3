package solver_test

import (
	"context"
	"fmt"

	"github.com/seed-649d3d38/heddle/solver"
)

// ExampleSlots shows what work is told of its slots.
func ExampleSlots() {
	ctx := context.Background()
	fmt.Println(solver.Slots(ctx), solver.Slots(solver.WithSlots(ctx, 2)))
	// Output: 0 2
}
