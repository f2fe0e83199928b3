package root_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/sqrt/root"
	"github.com/seed-649d3d38/heddle/solver"
)

// operation returns what the service binds to an operation.
func operation(t *testing.T, name string) solver.Operation {
	t.Helper()
	operations := root.Service().Operations
	i := slices.IndexFunc(operations, func(op solver.Operation) bool { return op.Endpoint.Operation == name })
	if i < 0 {
		t.Fatalf("the service has no operation %s", name)
	}
	return operations[i]
}

// answer solves a request as a host does, from JSON to JSON.
func answer(ctx context.Context, op solver.Operation, body string) (string, error) {
	request := op.New()
	if err := json.Unmarshal([]byte(body), request); err != nil {
		return "", err
	}
	if err := op.Validate(request); err != nil {
		return "", err
	}
	result, err := op.Solve(ctx, request)
	if err != nil {
		return "", err
	}
	if long, ok := result.(solver.Long); ok {
		text := long.Encode(contract.MediaJSON)
		data, err := io.ReadAll(io.NewSectionReader(text, 0, text.Size()))
		return string(data), err
	}
	data, err := json.Marshal(result)
	return string(data), err
}

// testing.T and rapid.T both are one.
type fataler interface {
	Helper()
	Fatal(arguments ...any)
}

func encode(t fataler, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestServiceGivesTheContractsExamples(t *testing.T) {
	t.Parallel()
	service := root.Service()
	if err := service.Check(); err != nil {
		t.Fatal(err)
	}
	for _, op := range service.Operations {
		if len(op.Endpoint.Examples) == 0 {
			t.Errorf("%s has no examples", op.Endpoint.Name())
		}
		for _, example := range op.Endpoint.Examples {
			t.Run(op.Endpoint.Name()+"/"+example.Summary, func(t *testing.T) {
				t.Parallel()
				got, err := answer(t.Context(), op, encode(t, example.Request))
				if want := encode(t, example.Result); err != nil || got != want {
					t.Errorf("result %s, %v; want %s", got, err, want)
				}
			})
		}
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ operation, request, want string }{
		{"root", `{"x":"4"}`, `{"value":"2.00000000000000000000","exact":true}`},
		{"root", `{"x":4,"digits":0}`, `{"value":"2","exact":true}`},
		{"root", `{"x":"0","digits":2}`, `{"value":"0.00","exact":true}`},
		{"root", `{"x":"-0","digits":0}`, `{"value":"0","exact":true}`},
		{"root", `{"x":"2","digits":16}`, `{"value":"1.4142135623730950","exact":false}`},
		{"root", `{"x":"0.000001","digits":3}`, `{"value":"0.001","exact":true}`},
		{"root", `{"x":"0.000001","digits":2}`, `{"value":"0.00","exact":false}`},
		{"root", `{"x":"99.99999999","digits":3}`, `{"value":"10.000","exact":false}`},
		{"root", `{"x":"22/7","digits":10}`, `{"value":"1.7728105209","exact":false}`},
		{"integer", `{"x":"0"}`, `{"root":"0","remainder":"0"}`},
		{"integer", `{"x":16}`, `{"root":"4","remainder":"0"}`},
		{"integer", `{"x":"17"}`, `{"root":"4","remainder":"1"}`},
		{"floats", `{"values":[4]}`, `{"roots":[2]}`},
		{"floats", `{"values":[0,2]}`, `{"roots":[0,1.4142135623730951]}`},
		{"floats", `{"values":[-0.0]}`, `{"roots":[-0]}`},
		{"floats", `{"values":[]}`, `{"roots":[]}`},
		{"floats", `{"values":[1e308,5e-324]}`, `{"roots":[1e+154,2.2227587494850775e-162]}`},
	} {
		if got, err := answer(t.Context(), operation(t, c.operation), c.request); err != nil || got != c.want {
			t.Errorf("%s %s: %s, %v; want %s", c.operation, c.request, got, err, c.want)
		}
	}
}

// TestBadInput is about programs that answer such requests with a crash, with infinity or
// as if true were 1.
func TestBadInput(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ operation, request, field string }{
		{"root", `{"x":"-1"}`, "x"},
		{"root", `{"x":-4}`, "x"},
		{"root", `{"x":"-1/2"}`, "x"},
		{"root", `{}`, "x"},
		{"root", `{"x":""}`, ""},
		{"root", `{"x":"four"}`, ""},
		{"root", `{"x":"1/0"}`, ""},
		{"root", `{"x":"1e5"}`, ""},
		{"root", `{"x":"Infinity"}`, ""},
		{"root", `{"x":"NaN"}`, ""},
		{"root", `{"x":true}`, ""},
		{"root", `{"x":null}`, ""},
		{"root", `{"x":0.5}`, ""},
		{"root", `{"x":9007199254740992}`, ""},
		{"root", `{"x":"2","digits":-1}`, "digits"},
		{"root", `{"x":"2","digits":100000001}`, "digits"},
		{"root", `{"x":"2","rounding":"nearest"}`, ""},
		{"integer", `{"x":"-1"}`, "x"},
		{"integer", `{}`, "x"},
		{"integer", `{"x":"2.5"}`, ""},
		{"integer", `{"x":true}`, ""},
		{"floats", `{}`, "values"},
		{"floats", `{"values":null}`, "values"},
		{"floats", `{"values":[1,null]}`, "values/1"},
		{"floats", `{"values":["four"]}`, "0"},
		{"floats", `{"values":[1,2,true]}`, "2"},
		{"floats", `{"values":[1e400]}`, "0"},
		{"floats", `{"values":4}`, ""},
	} {
		got, err := answer(t.Context(), operation(t, c.operation), c.request)
		e, ok := errors.AsType[*contract.Error](err)
		if !ok || e.Code != contract.CodeInvalidArgument || e.Field != c.field {
			t.Errorf("%s %s: %s, %v; want an invalid argument that blames %q", c.operation, c.request, got, err, c.field)
		}
	}
	for _, body := range []string{`{"values":[NaN]}`, `{"values":[Infinity]}`, `{"values":[-inf]}`} {
		if got, err := answer(t.Context(), operation(t, "floats"), body); err == nil {
			t.Errorf("%s: %s, want an error", body, got)
		}
	}
}

// TestLargeNumbersHaveRoots is about an integer that is too large for a double.
func TestLargeNumbersHaveRoots(t *testing.T) {
	t.Parallel()
	zeros := strings.Repeat("0", 200)
	x := `{"x":"1` + zeros + zeros + `"`
	got, err := answer(t.Context(), operation(t, "root"), x+`,"digits":1}`)
	if want := `{"value":"1` + zeros + `.0","exact":true}`; err != nil || got != want {
		t.Errorf("root: %s, %v; want %s", got, err, want)
	}
	got, err = answer(t.Context(), operation(t, "integer"), x+`}`)
	if want := `{"root":"1` + zeros + `","remainder":"0"}`; err != nil || got != want {
		t.Errorf("integer: %s, %v; want %s", got, err, want)
	}
}

// TestEveryInputHasItsAnswer asks from four callers at once.
func TestEveryInputHasItsAnswer(t *testing.T) {
	t.Parallel()
	op := operation(t, "integer")
	roots := make([]string, 500)
	next := make(chan int)
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for i := range next {
				got, err := answer(t.Context(), op, fmt.Sprintf(`{"x":%d}`, i*i))
				if err != nil {
					t.Errorf("√%d: %v", i*i, err)
				}
				roots[i] = got
			}
		})
	}
	for i := range roots {
		next <- i
	}
	close(next)
	callers.Wait()
	for i, got := range roots {
		if want := fmt.Sprintf(`{"root":"%d","remainder":"0"}`, i); got != want {
			t.Errorf("√%d: %s, want %s", i*i, got, want)
		}
	}
}

func TestCanceledWork(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	long := strings.Repeat("7", 100_000)
	for name, body := range map[string]string{
		"root":    `{"x":"2","digits":100000000}`,
		"integer": `{"x":"` + long + `"}`,
	} {
		_, err := answer(ctx, operation(t, name), body)
		if !errors.Is(err, context.Canceled) || contract.FromError(err).Code != contract.CodeCanceled {
			t.Errorf("%s: %v, want it canceled", name, err)
		}
	}
}
