package contract_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
)

// One declaration has the names of an operation on every face.
func Example() {
	fmt.Println(contract.FibonacciTerm.Name())
	fmt.Println(contract.FibonacciTerm.Subject())
	fmt.Println(contract.FibonacciTerm.Route())
	// Output:
	// fibonacci.term
	// heddle.v1.fibonacci.term
	// /v1/fibonacci/term
}

func ExampleAll() {
	for _, endpoint := range contract.All() {
		fmt.Println(endpoint.Name())
	}
	// Output:
	// fibonacci.term
	// fibonacci.sequence
	// sqrt.root
	// sqrt.integer
	// sqrt.floats
	// crawler.links
}

func ExampleError() {
	err := contract.Invalid("digits", "must be at most %d", 1_000_000)
	document, _ := json.MarshalIndent(err, "", "  ")
	fmt.Println(string(document))
	// Output:
	// {
	//   "type": "urn:heddle:error:invalid_argument",
	//   "title": "Invalid argument",
	//   "status": 422,
	//   "detail": "digits must be at most 1000000",
	//   "code": "invalid_argument",
	//   "field": "digits"
	// }
}

func ExampleCode() {
	var err error = contract.Errorf(contract.CodeUnavailable, "no instance of the service is there; try later")
	if errors.Is(err, contract.CodeUnavailable) {
		fmt.Println("try again in a moment")
	}
	// Output: try again in a moment
}

func ExampleFromError() {
	ctx, cancel := context.WithTimeout(context.Background(), -1)
	defer cancel()
	e := contract.FromError(fmt.Errorf("compute: %w", ctx.Err()))
	fmt.Println(e.Code, e.Code.Status())
	fmt.Println(errors.Is(e, context.DeadlineExceeded))
	// Output:
	// deadline_exceeded 504
	// true
}

func ExampleInteger() {
	var request contract.TermRequest
	for _, body := range []string{`{"n": 42}`, `{"n": "+0042"}`, `{"n": 9007199254740993}`} {
		if err := json.Unmarshal([]byte(body), &request); err != nil {
			fmt.Println(contract.FromError(err).Detail)
			continue
		}
		fmt.Println(request.N)
	}
	// Output:
	// 42
	// 42
	// must be sent as a string: a JSON number beyond 2^53-1 may have been rounded on its way
}

func ExampleRational_Split() {
	x, err := contract.ParseRational("2.25")
	if err != nil {
		fmt.Println(err)
		return
	}
	p, q := x.Split()
	fmt.Println(p, "over", q)
	// Output: 225 over 100
}

func ExampleParseTimeout() {
	d, err := contract.ParseTimeout("1m30s")
	fmt.Println(d, err)
	fmt.Println(contract.FormatTimeout(d - 20*time.Second))
	_, err = contract.ParseTimeout("90")
	fmt.Println(err)
	// Output:
	// 1m30s <nil>
	// 1m10s
	// invalid_argument: Heddle-Timeout must be a duration above 0 and up to 1h0m0s, such as 2.5s
}
