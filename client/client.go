// Package client calls Heddle's operations from Go, over NATS or over HTTP, with the
// types of the contract.
//
// It is thin: one request, one result, errors as [*contract.Error] either way. It
// keeps no connections of its own and does not retry. Results of any size come the same
// way; [Open] reads one as a stream, for those that are larger than one wants in memory.
//
//	c := &client.NATS{Conn: nc}
//	term, err := client.Call(ctx, c, contract.FibonacciTerm, contract.TermRequest{N: "100"})
//
// Many calls at once are futures with callbacks ([Go]), a problem in parts ([Scatter],
// [Gather]) or a pipeline ([Stage]). They take functions: calls ([Remote]), solvers or
// any others. How much runs at once is bounded, and nothing runs on when they return.
// [Tally] counts which instance did the work.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
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
	// Open does the same and returns the result as a stream, which the caller closes.
	// The operation's time-out is for the time until the result is there; how long its
	// reading takes is bounded by ctx alone.
	Open(ctx context.Context, operation contract.Spec, body []byte, accept string) (*Result, error)
}

// Reply is a result in memory.
type Reply struct {
	// Body is the result in the form that was accepted.
	Body []byte
	Origin
}

// Origin says what a result is and who made it.
type Origin struct {
	// ContentType is the media type of the result.
	ContentType string
	// Instance names the instance that did the work.
	Instance string
	// Timing is the value of the Server-Timing header: waiting and working time.
	Timing string
}

// Result is a result that is read as a stream. A result of any size that arrives in full
// ends with [io.EOF]; one that does not arrive as it was made ends with an
// [*contract.Error], [contract.CodeUnavailable] for one when the instance has gone.
// Whoever closes it early tells the instance that nobody wants the rest.
type Result struct {
	io.ReadCloser
	// Size is the number of bytes in all, -1 if a gateway does not say.
	Size int64
	Origin
}

// Open sends a request to an endpoint and returns its result as a stream, in the form
// that accept asks for: empty for JSON, [contract.MediaText] for plain text. The caller
// closes it.
func Open[Req contract.Request, Res any](ctx context.Context, c Caller, e contract.Endpoint[Req, Res], request Req, accept string) (*Result, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("encode request for %s: %w", e.Name(), err)
	}
	return c.Open(ctx, e.Spec, body, accept)
}

// Call sends a request to an endpoint and returns its result.
func Call[Req contract.Request, Res any](ctx context.Context, c Caller, e contract.Endpoint[Req, Res], request Req) (Res, error) {
	var result Res
	body, err := json.Marshal(request)
	if err != nil {
		return result, fmt.Errorf("encode request for %s: %w", e.Name(), err)
	}
	accept := ""
	if _, ok := any(result).(contract.Lines); ok {
		accept = contract.MediaJSON // else the result would come line by line
	}
	reply, err := c.Send(ctx, e.Spec, body, accept)
	if err != nil {
		return result, err
	}
	if err := json.Unmarshal(reply.Body, &result); err != nil {
		return result, fmt.Errorf("decode result of %s: %w", e.Name(), err)
	}
	return result, nil
}

// readAll reads a result of any size into memory.
func readAll(r *Result, err error) (Reply, error) {
	if err != nil {
		return Reply{}, err
	}
	defer r.Close()
	body := bytes.NewBuffer(make([]byte, 0, max(r.Size, 0)+bytes.MinRead))
	if _, err := body.ReadFrom(r); err != nil {
		return Reply{}, contract.FromError(fmt.Errorf("read result: %w", err))
	}
	return Reply{Body: body.Bytes(), Origin: r.Origin}, nil
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
