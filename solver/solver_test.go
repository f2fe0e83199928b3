package solver_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/solver"
)

// doubleRequest asks for the double of a number.
type doubleRequest struct {
	N int `json:"n"`
}

func (r doubleRequest) Validate() error {
	if r.N < 0 {
		return contract.Invalid("n", "must not be negative")
	}
	return nil
}

type doubleResult struct {
	Value int `json:"value"`
}

var (
	double = contract.Define[doubleRequest, doubleResult](contract.Spec{Service: "numbers", Operation: "double"})
	other  = contract.Define[doubleRequest, doubleResult](contract.Spec{Service: "letters", Operation: "double"})
)

func solveDouble(_ context.Context, r doubleRequest) (doubleResult, error) {
	return doubleResult{Value: 2 * r.N}, nil
}

func ExampleBind() {
	service := solver.Service{
		Name: "numbers", Version: "1.0.0", Description: "Arithmetic for beginners",
		Operations: []solver.Operation{solver.Bind(double, solveDouble)},
	}
	operation := service.Operations[0]
	request := operation.New()
	*request.(*doubleRequest) = doubleRequest{N: 21}
	result, err := operation.Solve(context.Background(), request)
	fmt.Println(result, err, service.Check())
	// Output: {42} <nil> <nil>
}

func TestBindKeepsTheTypes(t *testing.T) {
	operation := solver.Bind(double, solveDouble)
	if got, want := operation.Endpoint.Name(), "numbers.double"; got != want {
		t.Errorf("the operation answers for %s, want %s", got, want)
	}
	if a, b := operation.New(), operation.New(); a == b {
		t.Error("two requests share their memory")
	}
	if err := operation.Validate(&doubleRequest{N: -1}); err == nil {
		t.Error("a request that the type refuses was accepted")
	}
	if err := operation.Validate(&doubleRequest{N: 1}); err != nil {
		t.Errorf("a good request was refused: %v", err)
	}
	if got := operation.Estimate(&doubleRequest{N: 1}); got != (solver.Cost{}) {
		t.Errorf("without an estimate a request costs %+v, want heavy work of no memory", got)
	}
}

func TestBindEstimatedPassesTheRequest(t *testing.T) {
	operation := solver.BindEstimated(double, solveDouble, func(r doubleRequest) solver.Cost {
		return solver.Cost{Light: r.N < 10, Memory: int64(r.N)}
	})
	for n, want := range map[int]solver.Cost{3: {Light: true, Memory: 3}, 30: {Memory: 30}} {
		if got := operation.Estimate(&doubleRequest{N: n}); got != want {
			t.Errorf("n=%d costs %+v, want %+v", n, got, want)
		}
	}
}

func TestCheckNamesTheFault(t *testing.T) {
	bound := solver.Bind(double, solveDouble)
	tests := map[string]struct {
		service solver.Service
		fault   string
	}{
		"no name":            {solver.Service{Operations: []solver.Operation{bound}}, "a name"},
		"no operations":      {solver.Service{Name: "numbers"}, "one operation"},
		"of another service": {solver.Service{Name: "numbers", Operations: []solver.Operation{solver.Bind(other, solveDouble)}}, "letters.double"},
		"bound twice":        {solver.Service{Name: "numbers", Operations: []solver.Operation{bound, bound}}, "twice"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := test.service.Check()
			if err == nil || !strings.Contains(err.Error(), test.fault) {
				t.Errorf("got %v, want an error that says %q", err, test.fault)
			}
		})
	}
}
