package host_test

import (
	"context"
	"testing"

	"go.uber.org/goleak"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host/hosttest"
	"github.com/seed-649d3d38/heddle/solver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// EchoRequest and EchoResult are a small problem of every JSON type.
type EchoRequest struct {
	Text   contract.Integer `json:"text"`
	Count  *int             `json:"count,omitempty"`
	Values []float64        `json:"values,omitempty"`
	Flag   bool             `json:"flag,omitempty"`
}

func (r EchoRequest) Validate() error {
	if r.Text.IsZero() {
		return contract.Invalid("text", "is missing")
	}
	return nil
}

type EchoResult struct {
	Text contract.Integer `json:"text"`
}

func (r EchoResult) AppendPlain(dst []byte) []byte { return append(dst, r.Text...) }

var echo = contract.Define(contract.Spec{Service: "echo", Operation: "say", Summary: "Says what it hears"},
	contract.Example[EchoRequest, EchoResult]{Request: EchoRequest{Text: "42"}, Result: EchoResult{Text: "42"}})

// service returns the echo with a solver and a cost.
func service(solve solver.Func[EchoRequest, EchoResult], cost solver.Cost) solver.Service {
	return solver.Service{
		Name: "echo", Version: "1.0.0",
		Operations: []solver.Operation{solver.BindEstimated(echo, solve, func(EchoRequest) solver.Cost { return cost })},
	}
}

func say(_ context.Context, r EchoRequest) (EchoResult, error) { return EchoResult{Text: r.Text}, nil }

func TestConformance(t *testing.T) {
	hosttest.Conform(t, hosttest.Suite{Service: func() solver.Service { return service(say, solver.Cost{Light: true}) }})
}
