package client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/bus"
	"github.com/seed-649d3d38/heddle/internal/handle"
)

// NATS calls services directly on their subjects. It does not own the connection.
type NATS struct {
	Conn *nats.Conn
}

// Send implements [Caller]. When ctx ends early, the service hears that nobody waits any
// more and stops the work.
func (c NATS) Send(ctx context.Context, operation contract.Spec, body []byte, accept string) (Reply, error) {
	reply, err := c.request(ctx, operation, body, accept)
	if err != nil || reply.ContentType != contract.MediaHandle {
		return reply, err
	}
	return readAll(c.follow(ctx, reply))
}

// Open implements [Caller].
func (c NATS) Open(ctx context.Context, operation contract.Spec, body []byte, accept string) (*Result, error) {
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
func (c NATS) follow(ctx context.Context, reply Reply) (*Result, error) {
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
func (c NATS) request(ctx context.Context, operation contract.Spec, body []byte, accept string) (Reply, error) {
	service, caller := allowance(ctx, operation)
	ctx, stop := context.WithTimeout(ctx, caller)
	defer stop()
	m := nats.NewMsg(operation.Subject())
	m.Data = body
	m.Header.Set(contract.HeaderTimeout, contract.FormatTimeout(service))
	if accept != "" {
		m.Header.Set(contract.HeaderAccept, accept)
	}
	r, err := c.exchange(ctx, m)
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

// exchange sends a message and waits for its reply. Unlike the connection's own method it
// knows the reply subject, which is what a cancellation needs.
func (c NATS) exchange(ctx context.Context, m *nats.Msg) (*nats.Msg, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	m.Reply = c.Conn.NewInbox()
	sub, err := c.Conn.SubscribeSync(m.Reply)
	if err != nil {
		return nil, err
	}
	defer func() { _ = sub.Unsubscribe() }() // fails only on a closed connection
	if err := c.Conn.PublishMsg(m); err != nil {
		return nil, err
	}
	r, err := sub.NextMsgWithContext(ctx)
	if err != nil && ctx.Err() != nil {
		bus.Cancel(c.Conn, m)
	}
	return r, err
}

// translate gives the errors of the NATS client their code.
func translate(err error, operation contract.Spec) error {
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		e := contract.Errorf(contract.CodeUnavailable, "no instance of the service %s is running; start one with: heddle worker %s", operation.Service, operation.Service)
		e.RetryAfter = time.Second
		return e.WithCause(err)
	case errors.Is(err, nats.ErrTimeout):
		return contract.FromError(context.DeadlineExceeded).WithCause(err)
	case errors.Is(err, nats.ErrMaxPayload):
		return contract.Errorf(contract.CodeRequestTooLarge, "the request is larger than the broker takes; send less").WithCause(err)
	case errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, nats.ErrConnectionReconnecting), errors.Is(err, nats.ErrDisconnected):
		return contract.Errorf(contract.CodeUnavailable, "the broker is not reachable").WithCause(err)
	default:
		return contract.FromError(err)
	}
}
