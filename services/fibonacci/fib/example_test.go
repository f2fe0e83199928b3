package fib_test

import (
	"context"
	"fmt"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
)

func ExampleSolveTerm() {
	result, err := fib.SolveTerm(context.Background(), contract.TermRequest{N: "300"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Value)
	fmt.Println(result.Digits, "digits")
	// Output:
	// 222232244629420445529739893461909967206666939096499764990979600
	// 63 digits
}

func ExampleSolveTerm_modulus() {
	request := contract.TermRequest{N: "1000000000000000000000", Modulus: "1000000000"}
	result, err := fib.SolveTerm(context.Background(), request)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("…" + result.Value)
	// Output: …560546875
}

func ExampleSolveTerm_tooLarge() {
	_, err := fib.SolveTerm(context.Background(), contract.TermRequest{N: "1000000000000"})
	fmt.Println(contract.FromError(err).Detail)
	// Output: n must lie between -4000000000 and 4000000000; send a modulus to go beyond
}

func ExampleService() {
	service := fib.Service()
	fmt.Println(service.Name, service.Version)
	for _, op := range service.Operations {
		fmt.Println(op.Endpoint.Subject())
	}
	// Output:
	// fibonacci 1.0.0
	// heddle.v1.fibonacci.term
	// heddle.v1.fibonacci.sequence
}
