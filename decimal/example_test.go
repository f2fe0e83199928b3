package decimal_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/seed-649d3d38/heddle/decimal"
)

func Example() {
	ctx := context.Background()
	x, err := decimal.Fibonacci(ctx, 1_000_000)
	if err != nil {
		fmt.Println(err)
		return
	}
	n := x.Digits()
	fmt.Printf("F(1000000) has %d digits: %s…%s\n", n, x.AppendDigits(nil, 0, 12), x.AppendDigits(nil, n-12, n))
	// Output: F(1000000) has 208988 digits: 195328212870…838242546875
}

func ExampleParse() {
	x, err := decimal.Parse("-12345678901234567890123")
	fmt.Println(x, x.Digits(), err)

	_, err = decimal.Parse("12 345")
	if syntax, ok := errors.AsType[*decimal.SyntaxError](err); ok {
		fmt.Println(syntax.Offset, err)
	}
	// Output:
	// -12345678901234567890123 23 <nil>
	// 2 decimal: ' ' is not a digit at offset 2
}

func ExampleMul() {
	x, _ := decimal.Parse("99999999999999999999")
	product, err := decimal.Mul(context.Background(), x, x)
	fmt.Println(product, err)
	// Output: 9999999999999999999800000000000000000001 <nil>
}

func ExampleSqrt() {
	root, remainder, err := decimal.Sqrt(context.Background(), decimal.FromInt64(1_000_000_007))
	fmt.Println(root, remainder, err)
	// Output: 31622 49123 <nil>
}

func ExampleRoot() {
	two, one := decimal.FromInt64(2), decimal.FromInt64(1)
	root, exact, err := decimal.Root(context.Background(), two, one, 30, decimal.HalfEven)
	if err != nil {
		fmt.Println(err)
		return
	}
	text := root.AppendFixed(nil, 30)
	fmt.Printf("%s exact: %t\n", text, exact)
	// Output: 1.414213562373095048801688724210 exact: false
}

func ExampleFibonacciMany() {
	terms, err := decimal.FibonacciMany(context.Background(), []int64{100, 101, -6})
	fmt.Println(terms, err)
	// Output: [354224848179261915075 573147844013817084101 -8] <nil>
}

func ExampleFibonacciMod() {
	n, _ := decimal.Parse("1000000000000000000000000")
	x, err := decimal.FibonacciMod(context.Background(), n, decimal.FromInt64(1_000_000_007))
	fmt.Println(x, err)
	// Output: 182256986 <nil>
}

func ExampleInt_WriteTo() {
	x, _ := decimal.Lucas(context.Background(), 150)
	if _, err := x.WriteTo(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output: 22291846172619859445381409012498
}

func ExampleCalculator() {
	calculator := &decimal.Calculator{Threads: 1, Progress: func(done float64) {
		if done == 1 {
			fmt.Println("done")
		}
	}}
	x, err := calculator.Fibonacci(context.Background(), 100_000)
	fmt.Println(x.Digits(), err)
	// Output:
	// done
	// 20899 <nil>
}
