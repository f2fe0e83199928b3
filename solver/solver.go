// Package solver is what the author of a problem writes against: it binds Go
// functions to the endpoints of the contract and names the service they make up.
//
// A solver is a function from a request to a result. It knows nothing of NATS,
// HTTP or telemetry: the kit (package host) decodes and validates requests, admits
// them to slots, sets deadlines, catches panics and writes the replies. A solver
// honours its context in long loops, is safe for concurrent use, returns an
// [*contract.Error] for its caller's faults and any other error for its own.
//
//	func Service() solver.Service {
//		return solver.Service{
//			Name: "fibonacci", Version: "1.0.0", Description: "Fibonacci terms, exact at any size",
//			Operations: []solver.Operation{solver.Bind(contract.FibonacciTerm, SolveTerm)},
//		}
//	}
package solver

import (
	"context"
	"fmt"

	"github.com/seed-649d3d38/heddle/contract"
)

// Func is a solver with its types.
type Func[Req contract.Request, Res any] func(context.Context, Req) (Res, error)

// Cost is what a solver expects one request to take. The zero value is heavy work
// of negligible memory.
type Cost struct {
	// Light says that the work takes a few microseconds at most. Light requests are
	// solved at once, without a slot; a goroutine for each would cost more than they do.
	Light bool
	// Memory is the number of bytes the work holds at its peak, result included.
	Memory int64
	// Result is the size of the encoded result in bytes, 0 when unknown or when the
	// result is a [Long]. A result that the memory of the instance could not hold is
	// refused before the work.
	Result int64
	// Slots is the number of cores that the work can use at once; 0 counts as 1. The
	// work gets as many slots of the instance, or fewer if fewer are free when it
	// begins; [Slots] tells it how many.
	Slots int
}

// slotsKey is the key of the number of slots in a context.
type slotsKey struct{}

// WithSlots returns a context for work that has so many slots. The kit calls it.
func WithSlots(ctx context.Context, slots int) context.Context {
	return context.WithValue(ctx, slotsKey{}, slots)
}

// Slots returns the number of slots that the work under the context has: how many cores
// it may keep busy. Where nobody counts them, outside of a host, it is 0.
func Slots(ctx context.Context) int {
	slots, _ := ctx.Value(slotsKey{}).(int)
	return slots
}

// Service is a named set of operations that are hosted together. It is plain data.
type Service struct {
	// Name is the name in subjects and routes; every operation's endpoint has it.
	Name string
	// Version is the version of the implementation, as SemVer ("1.0.0").
	Version string
	// Description is one line for service discovery.
	Description string
	// Waits says that the work is mostly waiting, for a network say, so that an
	// instance takes many more requests at once than it has cores.
	Waits bool
	// Operations are the operations the service solves.
	Operations []Operation
	// Idle, if not nil, gives back to the system what the solvers keep for the next
	// request. It is called when no heavy request has run for a while after one that
	// held much memory, and may be called while light requests are solved.
	Idle func()
	// Close, if not nil, gives back what the solvers hold. It is called once, when no
	// request is in flight any more.
	Close func()
}

// Operation is a solver bound to its endpoint, without type parameters. It is made
// by [Bind], [BindEstimated] and [BindLong].
type Operation struct {
	// Endpoint is the declaration the solver answers for.
	Endpoint contract.Descriptor
	// New returns a pointer to a new, empty request to decode into.
	New func() any
	// Validate checks the request that the pointer leads to.
	Validate func(request any) error
	// Estimate returns the cost of the request that the pointer leads to. The kit
	// calls it only after Validate has passed.
	Estimate func(request any) Cost
	// Solve solves the request that the pointer leads to.
	Solve func(ctx context.Context, request any) (result any, err error)
}

// Bind returns an operation that solves requests for the endpoint. Every request
// counts as heavy; see [BindEstimated].
func Bind[Req contract.Request, Res any](e contract.Endpoint[Req, Res], solve Func[Req, Res]) Operation {
	return BindEstimated(e, solve, func(Req) Cost { return Cost{} })
}

// BindEstimated returns an operation whose requests are admitted by the cost that
// estimate expects. Estimate runs in the dispatcher and must take no more than a few
// microseconds.
func BindEstimated[Req contract.Request, Res any](e contract.Endpoint[Req, Res], solve Func[Req, Res], estimate func(Req) Cost) Operation {
	return Operation{
		Endpoint: e.Descriptor(),
		New:      func() any { return new(Req) },
		Validate: func(request any) error { return (*request.(*Req)).Validate() },
		Estimate: func(request any) Cost { return estimate(*request.(*Req)) },
		Solve: func(ctx context.Context, request any) (any, error) {
			return solve(ctx, *request.(*Req))
		},
	}
}

// Check reports the first way in which the service is not fit to be hosted: no name,
// no operations, an operation of another service or one bound twice.
func (s Service) Check() error {
	if s.Name == "" || len(s.Operations) == 0 {
		return fmt.Errorf("service %q: a name and at least one operation are needed", s.Name)
	}
	seen := make(map[string]bool)
	for _, op := range s.Operations {
		switch e := op.Endpoint; {
		case e.Service != s.Name:
			return fmt.Errorf("service %q: operation %s belongs to another service", s.Name, e.Name())
		case seen[e.Operation]:
			return fmt.Errorf("service %q: operation %s is bound twice", s.Name, e.Name())
		default:
			seen[e.Operation] = true
		}
	}
	return nil
}
