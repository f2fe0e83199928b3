package root_test

import (
	"context"
	"fmt"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/sqrt/root"
)

func ExampleSolveRoot() {
	for _, request := range []contract.RootRequest{
		{X: "2", Digits: new(30)},
		{X: "9/4", Digits: new(3)},
		{X: "0.1", Digits: new(5), Rounding: contract.RoundUp},
	} {
		result, err := root.SolveRoot(context.Background(), request)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(request.X, result.Value, result.Exact)
	}
	// Output:
	// 2 1.414213562373095048801688724210 false
	// 9/4 1.500 true
	// 0.1 0.31623 false
}

func ExampleSolveInteger() {
	result, err := root.SolveInteger(context.Background(), contract.IntegerRootRequest{X: "1000000"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Root, result.Remainder)
	// Output: 1000 0
}

func ExampleSolveFloats() {
	request := contract.FloatsRequest{Values: contract.Floats{2, -1, 9}}
	result, err := root.SolveFloats(context.Background(), request)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Roots)
	for _, e := range result.Errors {
		fmt.Println(e.Index, e.Detail)
	}
	// Output:
	// [1.4142135623730951 NaN 3]
	// 1 values/1 must not be negative: no real number has that square
}

func ExampleService() {
	for _, op := range root.Service().Operations {
		fmt.Println(op.Endpoint.Subject())
	}
	// Output:
	// heddle.v1.sqrt.root
	// heddle.v1.sqrt.integer
	// heddle.v1.sqrt.floats
}
