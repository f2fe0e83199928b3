package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/follow"
)

// SubmitJob implements [JobCaller].
func (c *NATS) SubmitJob(ctx context.Context, operation contract.Spec, body []byte, o contract.JobOptions) (contract.Job, error) {
	m := nats.NewMsg(contract.SubmitSubject(operation.Service, operation.Operation))
	m.Data = body
	o.Headers(m.Header.Set)
	if o.Key != "" {
		m.Header.Set(contract.HeaderKey, o.Key)
	}
	return decodeJob[contract.Job](c.ask(ctx, m))
}

// GetJob implements [JobCaller].
func (c *NATS) GetJob(ctx context.Context, id string) (contract.Job, error) {
	return decodeJob[contract.Job](c.do(ctx, "get", contract.JobRequest{ID: id}))
}

// ListJobs implements [JobCaller].
func (c *NATS) ListJobs(ctx context.Context, query contract.JobQuery) (contract.JobList, error) {
	return decodeJob[contract.JobList](c.do(ctx, "list", query))
}

// CancelJob implements [JobCaller].
func (c *NATS) CancelJob(ctx context.Context, id string) (contract.Job, error) {
	return decodeJob[contract.Job](c.do(ctx, "cancel", contract.JobRequest{ID: id}))
}

// RetryJob implements [JobCaller].
func (c *NATS) RetryJob(ctx context.Context, id string) (contract.Job, error) {
	return decodeJob[contract.Job](c.do(ctx, "retry", contract.JobRequest{ID: id}))
}

// WatchJob implements [JobCaller].
func (c *NATS) WatchJob(ctx context.Context, id string) iter.Seq2[contract.Job, error] {
	return func(yield func(contract.Job, error) bool) {
		ref, err := contract.ParseJobID(id)
		if err != nil {
			yield(contract.Job{}, err)
			return
		}
		look := func(ctx context.Context) (event follow.Event, err error) {
			m, err := c.do(ctx, "get", contract.JobRequest{ID: id})
			if event.Job, err = decodeJob[contract.Job](m, err); err != nil {
				return event, err
			}
			if event.Revision, err = strconv.ParseUint(m.Header.Get(contract.HeaderRevision), 10, 64); err != nil {
				return event, fmt.Errorf("read the revision of job %s: %w", id, err)
			}
			return event, nil
		}
		for event, err := range follow.Job(ctx, c.Conn, ref, look) {
			if !yield(event.Job, err) {
				return
			}
		}
	}
}

// OpenJob implements [JobCaller]. The result is read part by part, as fast as the stream.
func (c *NATS) OpenJob(ctx context.Context, id string) (*Result, error) {
	first, err := c.do(ctx, "result", contract.JobResultRequest{ID: id})
	if err != nil {
		return nil, err
	}
	p := &parts{rest: first.Data, part: func(offset int64) ([]byte, error) {
		m, err := c.do(ctx, "result", contract.JobResultRequest{ID: id, Offset: offset})
		if err != nil {
			return nil, err
		}
		return m.Data, nil
	}}
	var from, to int64
	if _, err := fmt.Sscanf(first.Header.Get(contract.HeaderContentRange), "bytes %d-%d/%d", &from, &to, &p.size); err != nil {
		return nil, fmt.Errorf("read the size of the result of job %s: %w", id, err)
	}
	return &Result{
		ReadCloser: check(io.NopCloser(p), first.Header.Get(contract.HeaderDigest)), Size: p.size,
		Origin: Origin{ContentType: first.Header.Get(contract.HeaderContentType)},
	}, nil
}

// parts reads a result part by part.
type parts struct {
	part     func(offset int64) ([]byte, error) // returns the bytes from there on, some of them
	rest     []byte                             // of the part that was begun
	at, size int64
}

// Read implements [io.Reader].
func (p *parts) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		if p.at >= p.size {
			return 0, io.EOF
		}
		var err error
		if p.rest, err = p.part(p.at); err != nil {
			return 0, err
		}
		if len(p.rest) == 0 {
			return 0, io.ErrUnexpectedEOF
		}
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	p.at += int64(n)
	return n, nil
}

// do sends a request to a verb of the jobs service.
func (c *NATS) do(ctx context.Context, verb string, request any) (*nats.Msg, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("encode request to jobs: %w", err)
	}
	m := nats.NewMsg(contract.JobsSubject(verb))
	m.Data = body
	return c.ask(ctx, m)
}

// ask sends a message to the jobs service and returns its reply if that is no error.
func (c *NATS) ask(ctx context.Context, m *nats.Msg) (*nats.Msg, error) {
	ctx, stop := within(ctx)
	defer stop()
	r, err := c.Conn.RequestMsgWithContext(ctx, m)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return nil, contract.Errorf(contract.CodeUnavailable, "nobody serves jobs at this broker; start a gateway or an instance, for one with: heddle worker fibonacci").WithCause(err)
	case err != nil:
		return nil, translate(err, contract.Spec{Service: "jobs"})
	}
	if number := r.Header.Get(contract.HeaderErrorCode); number != "" {
		status, _ := strconv.Atoi(number) // for the message only
		return nil, readProblem(r.Data, status)
	}
	return r, nil
}

// decodeJob reads a document of the jobs service.
func decodeJob[T any](m *nats.Msg, err error) (document T, _ error) {
	if err != nil {
		return document, err
	}
	if err := json.Unmarshal(m.Data, &document); err != nil {
		return document, fmt.Errorf("decode reply of jobs: %w", err)
	}
	return document, nil
}
