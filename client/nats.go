package client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/bus"
	"github.com/seed-649d3d38/heddle/internal/handle"
)

// NATS calls services directly on their subjects. A NATS with a connection is ready for
// use; it does not own the connection. All its calls share one subscription for their
// replies, made by the first of them and ended by [NATS.Close] or with the connection. It
// is safe for concurrent use and must not be copied once it is used.
type NATS struct {
	// Conn is the connection. Required.
	Conn *nats.Conn

	mu        sync.Mutex
	requester *bus.Requester // guarded by mu; nil until the first call
}

// replies returns what sends requests and waits for their replies.
func (c *NATS) replies() (*bus.Requester, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.requester != nil {
		return c.requester, nil
	}
	r, err := bus.NewRequester(c.Conn)
	if err != nil {
		return nil, contract.Errorf(contract.CodeUnavailable, "the broker is not reachable").WithCause(err)
	}
	c.requester = r
	return r, nil
}

// Close ends the subscription for replies, for a connection that is used further without
// this client. Calls in flight end with [contract.CodeUnavailable], their services stop
// the work, and Close waits for the calls. It does not close the connection. A later call begins anew.
func (c *NATS) Close() {
	c.mu.Lock()
	r := c.requester
	c.requester = nil
	c.mu.Unlock()
	if r != nil {
		r.Close()
	}
}

// Send implements [Caller]. When ctx ends early, the service hears that nobody waits any
// more and stops the work. While the broker is not reachable calls fail at once with
// [contract.CodeUnavailable].
func (c *NATS) Send(ctx context.Context, operation contract.Spec, body []byte, accept string) (Reply, error) {
	reply, err := c.request(ctx, operation, body, accept)
	if err != nil || reply.ContentType != contract.MediaHandle {
		return reply, err
	}
	return readAll(c.follow(ctx, reply))
}

// Open implements [Caller].
func (c *NATS) Open(ctx context.Context, operation contract.Spec, body []byte, accept string) (*Result, error) {
	reply, err := c.request(ctx, operation, body, accept)
	if err != nil {
		return nil, err
	}
	if reply.ContentType == contract.MediaHandle {
		return c.follow(ctx, reply)
	}
	return &Result{ReadCloser: io.NopCloser(bytes.NewReader(reply.Body)), Size: int64(len(reply.Body)), Origin: reply.Origin}, nil
}

// follow opens the result that a handle stands for.
func (c *NATS) follow(ctx context.Context, reply Reply) (*Result, error) {
	h, err := contract.ParseHandle(reply.Body)
	if err != nil {
		return nil, err
	}
	r, err := handle.Open(c.Conn, h)
	if err != nil {
		return nil, err
	}
	result := &Result{ReadCloser: r.Stream(ctx), Size: h.Size, Origin: reply.Origin}
	result.ContentType = h.ContentType
	return result, nil
}

// request sends the request and returns its reply, which may be a handle.
func (c *NATS) request(ctx context.Context, operation contract.Spec, body []byte, accept string) (Reply, error) {
	service, caller := allowance(ctx, operation)
	requester, err := c.replies()
	if err != nil {
		return Reply{}, err
	}
	m := nats.NewMsg(operation.Subject())
	m.Data = body
	m.Header.Set(contract.HeaderTimeout, contract.FormatTimeout(service))
	if accept != "" {
		m.Header.Set(contract.HeaderAccept, accept)
	}
	r, err := requester.Do(ctx, m, caller)
	if err != nil {
		return Reply{}, translate(err, operation)
	}
	if number := r.Header.Get(contract.HeaderErrorCode); number != "" {
		status, _ := strconv.Atoi(number) // for the message only
		return Reply{}, readProblem(r.Data, status)
	}
	reply := Reply{Body: r.Data, Origin: Origin{
		ContentType: r.Header.Get(contract.HeaderContentType),
		Instance:    r.Header.Get(contract.HeaderInstance),
		Timing:      r.Header.Get(contract.HeaderServerTiming),
	}}
	if reply.ContentType == "" {
		reply.ContentType = contract.MediaJSON
	}
	return reply, nil
}

// translate names the program to start when there is no instance. The other errors of a
// requester say what to do as they are.
func translate(err error, operation contract.Spec) error {
	if !errors.Is(err, nats.ErrNoResponders) {
		return err
	}
	e := contract.Errorf(contract.CodeUnavailable, "no instance of the service %s is running; start one with: heddle worker %s", operation.Service, operation.Service)
	e.RetryAfter = time.Second
	return e.WithCause(err)
}
