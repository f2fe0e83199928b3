package fib_test

import (
	"encoding/json"
	"io"
	"testing"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
	"github.com/seed-649d3d38/heddle/solver"
)

// TestServiceGivesTheContractsExamples solves every example as a host does, from JSON
// to JSON.
func TestServiceGivesTheContractsExamples(t *testing.T) {
	t.Parallel()
	service := fib.Service()
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
				request := op.New()
				if err := json.Unmarshal(encode(t, example.Request), request); err != nil {
					t.Fatal(err)
				}
				if err := op.Validate(request); err != nil {
					t.Fatal(err)
				}
				result, err := op.Solve(t.Context(), request)
				if err != nil {
					t.Fatal(err)
				}
				if long, ok := result.(solver.Long); ok {
					text := long.Encode(contract.MediaJSON)
					whole, err := io.ReadAll(io.NewSectionReader(text, 0, text.Size()))
					if err != nil {
						t.Fatal(err)
					}
					result = json.RawMessage(whole)
				}
				if got, want := encode(t, result), encode(t, example.Result); string(got) != string(want) {
					t.Errorf("result %s, want %s", got, want)
				}
			})
		}
	}
}

func encode(t fataler, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	return data
}
