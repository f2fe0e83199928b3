package batch

import (
	"context"
	"encoding/json"
	"maps"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
)

// Do sends a message and waits for the reply, whatever that says, as [bus.Requester.Do]
// does.
//
// [bus.Requester.Do]: https://pkg.go.dev/github.com/seed-649d3d38/heddle/internal/bus#Requester.Do
type Do func(ctx context.Context, m *nats.Msg, timeout time.Duration) (*nats.Msg, error)

// grace is how much longer than the service is given a reply is waited for, so that the
// service's own answer to a passed deadline arrives.
const grace = 100 * time.Millisecond

// Over returns what sends the messages of a batch to an operation on NATS, as
// [OverSubjects] does on the subjects of requests.
func Over(do Do, operation contract.Descriptor, header nats.Header) Send {
	return OverSubjects(do, operation, operation.Subject(), operation.BatchSubject(), header)
}

// OverSubjects returns what sends the messages of a batch to an operation: single requests
// on the subject one, more of them on the subject chunk. Every message
// carries the header and may take the operation's time-out, or what ctx leaves of it. It
// is safe for concurrent use.
func OverSubjects(do Do, operation contract.Descriptor, one, chunk string, header nats.Header) Send {
	accept := operation.Media()[0] != contract.MediaJSON // else that is what comes by itself
	return func(ctx context.Context, body []byte, items int) (Reply, error) {
		m := &nats.Msg{Subject: one, Data: body, Header: maps.Clone(header)}
		if m.Header == nil {
			m.Header = make(nats.Header, 2)
		}
		if items > 1 {
			m.Subject = chunk
			m.Header[contract.HeaderContentType] = []string{contract.MediaNDJSON}
		} else if accept {
			m.Header[contract.HeaderAccept] = []string{contract.MediaJSON}
		}
		timeout := operation.Timeout
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < timeout {
			timeout = time.Until(deadline)
			m.Header[contract.HeaderTimeout] = []string{contract.FormatTimeout(timeout)}
		}
		reply, err := do(ctx, m, timeout+grace)
		if err != nil {
			return Reply{}, err
		}
		if number := reply.Header[contract.HeaderErrorCode]; number != nil {
			return Reply{}, fault(reply, number[0])
		}
		if kind := reply.Header[contract.HeaderContentType]; kind != nil && kind[0] == contract.MediaHandle {
			release(ctx, do, reply.Data)
			return Reply{}, contract.Errorf(contract.CodeResultTooLarge, "the result is too large for a batch; send the request by itself")
		}
		answer := Reply{Body: reply.Data}
		if timing := reply.Header[contract.HeaderServerTiming]; timing != nil {
			answer.Queue, answer.Work, _ = contract.ParseServerTiming(timing[0]) // it informs and decides nothing
		}
		return answer, nil
	}
}

// release gives up a result that waits at its instance to be read. The lines of a batch
// hold their results whole, so one that needs a handle has no place there. If the message
// is lost the instance lets go of the result soon by itself.
func release(ctx context.Context, do Do, body []byte) {
	h, err := contract.ParseHandle(body)
	if err != nil {
		return
	}
	request, err := json.Marshal(contract.PartRequest{Release: true})
	if err != nil { // a struct of integers always marshals
		return
	}
	_, _ = do(ctx, &nats.Msg{Subject: h.Subject, Data: request}, time.Second)
}

// fault returns the error of an error reply. A service that gave the request up, although
// we wait for it, is one that is not there.
func fault(reply *nats.Msg, number string) error {
	e := new(contract.Error)
	if err := e.UnmarshalJSON(reply.Data); err != nil {
		status, _ := strconv.Atoi(number) // for the message only
		return contract.Errorf(contract.CodeInternal, "the service answered with the error %d and no problem document", status).WithCause(err)
	}
	if e.Code == contract.CodeCanceled {
		again := contract.Errorf(contract.CodeUnavailable, "the service gave the request up; try again")
		again.RetryAfter = time.Second
		return again
	}
	return e
}
