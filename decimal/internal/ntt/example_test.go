package ntt_test

import (
	"context"
	"fmt"

	"github.com/seed-649d3d38/heddle/decimal/internal/ntt"
)

// A transformed number is used for two products.
func Example() {
	ctx := context.Background()
	plan, err := ntt.Default().NewPlan(ntt.Shape{Limbs: 4, Radix: ntt.Radix12})
	if err != nil {
		fmt.Println(err)
		return
	}
	number, other := plan.NewVector(), plan.NewVector()
	defer number.Release()
	defer other.Release()
	if err := plan.Forward(ctx, number, []uint64{999_999_999_999, 1}); err != nil { // 2·10^12 - 1
		fmt.Println(err)
		return
	}
	product := make([]uint64, 4)
	for _, limbs := range [][]uint64{{3}, {0, 5}} {
		if err := plan.Forward(ctx, other, limbs); err != nil {
			fmt.Println(err)
			return
		}
		if err := plan.Mul(ctx, other, other, number); err != nil {
			fmt.Println(err)
			return
		}
		if err := plan.Inverse(ctx, product, other); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(product)
	}
	// Output:
	// [999999999997 5 0 0]
	// [0 999999999995 9 0]
}
