package batch

import (
	"context"
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

// Over returns what sends the messages of a batch to an operation on NATS. Every message
// carries the header and may take the operation's time-out, or what ctx leaves of it. It
// is safe for concurrent use.
func Over(do Do, operation contract.Spec, header nats.Header) Send {
	return func(ctx context.Context, body []byte, items int) (Reply, error) {
		m := &nats.Msg{Subject: operation.Subject(), Data: body, Header: maps.Clone(header)}
		if m.Header == nil {
			m.Header = make(nats.Header, 2)
		}
		if items > 1 {
			m.Subject = operation.BatchSubject()
			m.Header[contract.HeaderContentType] = []string{contract.MediaNDJSON}
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
		answer := Reply{Body: reply.Data}
		if timing := reply.Header[contract.HeaderServerTiming]; timing != nil {
			answer.Queue, answer.Work, _ = contract.ParseServerTiming(timing[0]) // it informs and decides nothing
		}
		return answer, nil
	}
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
