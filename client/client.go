// Package client calls Heddle's operations from Go, over NATS or over HTTP, with the
// types of the contract.
//
// It is thin: one request, one reply, errors as [*contract.Error] either way. It
// keeps no connections of its own and does not retry.
//
//	c := client.NATS{Conn: nc}
//	term, err := client.Call(ctx, c, contract.FibonacciTerm, contract.TermRequest{N: "100"})
package client

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
)

// Caller carries one request to a service and brings back its reply. [NATS] and [HTTP]
// are callers.
type Caller interface {
	// Send sends the body to the operation and returns the reply, or an
	// [*contract.Error]. The deadline of ctx travels with the request; without one the
	// operation's own time-out applies.
	Send(ctx context.Context, operation contract.Spec, body []byte, accept string) (Reply, error)
}

// Reply is a result on the wire, and who made it.
type Reply struct {
	// Body is the result in the form that was accepted.
	Body []byte
	// ContentType is the media type of the body.
	ContentType string
	// Instance names the instance that did the work.
	Instance string
	// Timing is the value of the Server-Timing header: waiting and working time.
	Timing string
}

// Call sends a request to an endpoint and returns its result.
func Call[Req contract.Request, Res any](ctx context.Context, c Caller, e contract.Endpoint[Req, Res], request Req) (Res, error) {
	var result Res
	body, err := json.Marshal(request)
	if err != nil {
		return result, fmt.Errorf("encode request for %s: %w", e.Name(), err)
	}
	reply, err := c.Send(ctx, e.Spec, body, "")
	if err != nil {
		return result, err
	}
	if err := json.Unmarshal(reply.Body, &result); err != nil {
		return result, fmt.Errorf("decode result of %s: %w", e.Name(), err)
	}
	return result, nil
}

// transit is how much longer than the service a caller waits, so that the service's
// own answer to a passed deadline arrives.
const transit = 250 * time.Millisecond

// allowance returns the time that the service is given and the time that the caller
// waits.
func allowance(ctx context.Context, operation contract.Spec) (service, caller time.Duration) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return operation.Timeout, operation.Timeout + transit
	}
	left := max(time.Until(deadline), time.Microsecond)
	return min(left, contract.MaxTimeout), left
}

// readProblem returns the error that a problem document describes. A body that is no
// problem document came from something between us and the service.
func readProblem(body []byte, status int) error {
	problem := new(contract.Error)
	if err := json.Unmarshal(body, problem); err != nil {
		return contract.Errorf(contract.CodeUnavailable, "the answer with status %d is not from Heddle; check the address", status).WithCause(err)
	}
	return problem
}
