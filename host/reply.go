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
)

// headerRoom is what the headers of a reply may take of the broker's max_payload.
const headerRoom = 1 << 10

// maxResult returns the largest body of a reply in bytes.
func (e *endpoint) maxResult() int64 { return e.service.host.nc.MaxPayload() - headerRoom }

// render encodes the result in the form the caller accepts.
func (e *endpoint) render(result any, media string) (body []byte, err error) {
	if media == contract.MediaText {
		body = result.(contract.Plain).AppendPlain(nil)
	} else if body, err = json.Marshal(result); err != nil {
		return nil, fmt.Errorf("encode result: %w", err)
	}
	if len(body) <= headerRoom {
		return body, nil // no broker of any use takes less
	}
	if most := e.maxResult(); int64(len(body)) > most {
		return nil, resultTooLarge(int64(len(body)), most)
	}
	return body, nil
}

// succeed answers with a result.
func (e *endpoint) succeed(ctx context.Context, c *call, body []byte) {
	if !c.claim() {
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
	if f.Code == contract.CodeInternal {
		f = e.logInternal(ctx, f)
	}
	body, err := f.MarshalJSON()
	if err != nil { // a struct of strings and integers always marshals
		e.service.host.log.ErrorContext(ctx, "encode error reply", "operation", e.spec.Name(), "error", err)
	}
	e.finish(ctx, c, &nats.Msg{Data: body, Header: nats.Header{
		contract.HeaderError:       {f.Detail},
		contract.HeaderErrorCode:   {strconv.Itoa(f.Code.Status())},
		contract.HeaderContentType: {contract.MediaProblem},
	}}, f)
}

// logInternal logs the cause of an internal error and returns what the caller may
// know of it: a reference to the log.
func (e *endpoint) logInternal(ctx context.Context, f *contract.Error) *contract.Error {
	public := *contract.Errorf(contract.CodeInternal, "internal error; its cause is in the service's log under the reference")
	public.Reference = nuid.Next()
	e.service.host.log.ErrorContext(ctx, "request failed", "operation", e.spec.Name(), "reference", public.Reference, "error", f)
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
