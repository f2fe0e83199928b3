// Package hosttest is the conformance suite of services: what a caller may expect of
// any service that package host hosts. The test of a service runs it against the
// service's own registration, on a real broker inside the test.
//
//	func TestConformance(t *testing.T) {
//		hosttest.Conform(t, hosttest.Suite{Service: prime.Service})
//	}
package hosttest

import (
	"context"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/solver"
)

// patience is how long the suite waits for something that must happen.
const patience = 10 * time.Second

// Suite says what to test.
type Suite struct {
	// Service makes the registration under test, anew for each part of the suite.
	Service func() solver.Service
	// Requests are valid request bodies by operation name, for operations whose
	// endpoints have no examples. They are sent to stand-ins for the solver only.
	Requests map[string]string
}

// Conform runs the suite as subtests of t.
func Conform(t *testing.T, s Suite) {
	t.Helper()
	for _, part := range []struct {
		name string
		run  func(*testing.T, Suite)
	}{
		{"answers its examples", examples},
		{"is discovered", discovered},
		{"refuses what is not a request", refusals},
		{"negotiates the media type", negotiation},
		{"survives a panic", panics},
		{"answers when the time is up", timeouts},
		{"runs as many requests as it has slots", slots},
		{"waits for memory", memory},
		{"loses nothing when it drains", drains},
		{"answers what it cannot finish", cancels},
		{"counts truly", statistics},
		{"answers chunks", chunks},
		{"solves a chunk in one slot", chunkSlots},
		{"hears cancellations", cancellations},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.run(t, s)
		})
	}
}

// bench is a hosted service and a caller on a connection of its own.
type bench struct {
	t      *testing.T
	host   *host.Host
	caller *nats.Conn
}

// start hosts the service on a broker of the test.
func start(t *testing.T, s solver.Service, cfg host.Config) *bench {
	t.Helper()
	b := brokertest.Start(t)
	h, err := host.Start(t.Context(), brokertest.Connect(t, b), cfg, s)
	if err != nil {
		t.Fatalf("host service: %v", err)
	}
	hosted := &bench{t: t, host: h, caller: brokertest.Connect(t, b)}
	t.Cleanup(func() {
		if hosted.host == nil {
			return // the test has drained it
		}
		if err := hosted.drain(context.Background()); err != nil {
			t.Errorf("drain: %v", err)
		}
	})
	return hosted
}

// drain drains the host once and returns the error.
func (b *bench) drain(ctx context.Context) error {
	h := b.host
	b.host = nil
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return h.Drain(ctx)
}

// reply is an answer with its problem document, if it is one.
type reply struct {
	*nats.Msg
	problem *contract.Error
}

// send sends a request and fails the test unless exactly a well-formed reply comes.
func (b *bench) send(e contract.Descriptor, body string, headers ...string) reply {
	b.t.Helper()
	r, err := b.trySend(e, body, headers...)
	if err != nil {
		b.t.Fatalf("%s %s: no reply: %v", e.Name(), clip(body), err)
	}
	return r
}

// trySend is send for goroutines and for requests that may find no responder.
func (b *bench) trySend(e contract.Descriptor, body string, headers ...string) (reply, error) {
	m := nats.NewMsg(e.Subject())
	m.Data = []byte(body)
	for i := 0; i < len(headers); i += 2 {
		m.Header.Set(headers[i], headers[i+1])
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	answer, err := b.caller.RequestMsgWithContext(ctx, m)
	if err != nil {
		return reply{}, err
	}
	r := reply{Msg: answer}
	if answer.Header.Get(contract.HeaderErrorCode) != "" {
		r.problem = new(contract.Error)
		err = json.Unmarshal(answer.Data, r.problem)
	}
	return r, err
}

// want fails the test unless the reply is an error with the code.
func (b *bench) want(r reply, code contract.Code) {
	b.t.Helper()
	switch {
	case r.problem == nil:
		b.t.Errorf("got the result %s, want the error %s", clip(string(r.Data)), code)
	case r.problem.Code != code:
		b.t.Errorf("got the error %v, want %s", r.problem, code)
	case r.problem.Detail == "" || r.Header.Get(contract.HeaderError) != r.problem.Detail:
		b.t.Errorf("header %s is %q and the detail %q; want the same sentence", contract.HeaderError, r.Header.Get(contract.HeaderError), r.problem.Detail)
	}
	b.wantIdentity(r)
}

// wantResult fails the test if the reply is an error.
func (b *bench) wantResult(r reply) {
	b.t.Helper()
	if r.problem != nil {
		b.t.Errorf("got the error %v, want a result", r.problem)
	}
	b.wantIdentity(r)
}

// wantIdentity checks the headers that every reply has.
func (b *bench) wantIdentity(r reply) {
	b.t.Helper()
	for _, name := range []string{contract.HeaderInstance, contract.HeaderServerTiming} {
		if r.Header.Get(name) == "" {
			b.t.Errorf("reply has no header %s", name)
		}
	}
}

// body returns a valid request body for the operation.
func (s Suite) body(t *testing.T, e contract.Descriptor) string {
	t.Helper()
	if body, ok := s.Requests[e.Operation]; ok {
		return body
	}
	if len(e.Examples) == 0 {
		t.Fatalf("%s has no examples; give the suite a request", e.Name())
	}
	body, err := json.Marshal(e.Examples[0].Request)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// stand returns the service with another solver in place of its own. Every request is
// heavy and needs the memory given.
func stand(s solver.Service, memory int64, solve func(context.Context) error) solver.Service {
	operations := make([]solver.Operation, len(s.Operations))
	for i, op := range s.Operations {
		op.Estimate = func(any) solver.Cost { return solver.Cost{Memory: memory} }
		op.Solve = func(ctx context.Context, _ any) (any, error) {
			return reflect.Zero(op.Endpoint.Result).Interface(), solve(ctx)
		}
		operations[i] = op
	}
	s.Operations = operations
	return s
}

// clip shortens a body for a message.
func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
