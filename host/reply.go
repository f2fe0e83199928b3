package host

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/solver"
)

// smallResult is the size in bytes up to which a result fits into the reply whatever the
// broker's max_payload is: no broker of any use takes less.
const smallResult = 1 << 10

// render encodes the result in the form the caller accepts, or makes it a handle if it is
// too large for a reply.
func (e *endpoint) render(c *call, result any) (body []byte, err error) {
	if long, ok := result.(solver.Long); ok {
		return e.renderLong(c, long)
	}
	switch c.media {
	case contract.MediaText:
		body = result.(contract.Plain).AppendPlain(nil)
	case contract.MediaNDJSON:
		body = result.(contract.Lines).AppendLines(nil)
	default:
		if body, err = json.Marshal(result); err != nil {
			return nil, fmt.Errorf("encode result: %w", err)
		}
	}
	if len(body) > smallResult && int64(len(body)) > e.service.largest() {
		return e.holdBytes(c, body)
	}
	return body, nil
}

// succeed answers with a result.
func (e *endpoint) succeed(ctx context.Context, c *call, body []byte) {
	claimed := c.claim()
	if !claimed || c.message.Reply == "" {
		e.dropUnread(c)
	}
	if !claimed {
		return
	}
	header := headers.Get().(nats.Header)
	clear(header)
	if c.media != contract.MediaJSON {
		header[contract.HeaderContentType] = []string{c.media}
	}
	e.finish(ctx, c, &nats.Msg{Data: body, Header: header}, nil)
	headers.Put(header)
}

// headers holds headers of replies. The client encodes a header when it publishes, so it
// is free again afterwards; a map costs more than the rest of a small reply.
var headers = sync.Pool{New: func() any { return make(nats.Header, 3) }}

// fail answers with an error. Its cause goes to the log if the fault is ours.
func (e *endpoint) fail(ctx context.Context, c *call, err error) {
	f := fault(ctx, err)
	if !c.claim() {
		return
	}
	e.finish(ctx, c, e.service.problem(ctx, e.spec.Name(), f), f)
}

// problem returns the reply that says what went wrong with a request to the operation. The
// cause of a fault that is ours goes to the log.
func (s *service) problem(ctx context.Context, operation string, f *contract.Error) *nats.Msg {
	if f.Code == contract.CodeInternal {
		f = s.logInternal(ctx, operation, f)
	}
	body, err := f.MarshalJSON()
	if err != nil { // a struct of strings and integers always marshals
		s.host.log.ErrorContext(ctx, "encode error reply", "operation", operation, "error", err)
	}
	return &nats.Msg{Data: body, Header: nats.Header{
		contract.HeaderError:       {f.Detail},
		contract.HeaderErrorCode:   {strconv.Itoa(f.Code.Status())},
		contract.HeaderContentType: {contract.MediaProblem},
	}}
}

// logInternal logs the cause of an internal error and returns what the caller may
// know of it: a reference to the log.
func (s *service) logInternal(ctx context.Context, operation string, f *contract.Error) *contract.Error {
	public := *contract.Errorf(contract.CodeInternal, "internal error; its cause is in the service's log under the reference")
	public.Reference = nuid.Next()
	s.host.log.ErrorContext(ctx, "request failed", "operation", operation, "reference", public.Reference, "error", f)
	return &public
}

// finish sends the reply and counts the request. A request without a reply subject
// was published by somebody who does not want to know.
func (e *endpoint) finish(ctx context.Context, c *call, reply *nats.Msg, f *contract.Error) {
	queue, work := c.times(time.Now())
	e.stats.count(work, f)
	e.recorder.record(ctx, c, queue, work, f)
	if c.message.Reply == "" {
		return
	}
	reply.Subject = c.message.Reply
	reply.Header[contract.HeaderInstance] = e.instance
	var timing [64]byte
	c.timing[0] = string(contract.AppendServerTiming(timing[:0], queue, work))
	reply.Header[contract.HeaderServerTiming] = c.timing[:]
	if err := e.service.host.nc.PublishMsg(reply); err != nil {
		level := e.service.host.log.ErrorContext
		if errors.Is(err, nats.ErrConnectionClosed) {
			level = e.service.host.log.WarnContext
		}
		level(ctx, "send reply", "operation", e.spec.Name(), "error", err)
	}
}
