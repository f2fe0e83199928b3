package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
)

// BatchJob is a batch of requests to an endpoint that is done as one durable job. It holds
// no state: it can be copied, and is safe for concurrent use.
type BatchJob[Res any] struct {
	id     string
	caller *NATS
}

// JobItem is what came of one request of a [BatchJob].
type JobItem[Res any] struct {
	// Index is the place of the request in the batch, from 0.
	Index int
	// Result is the result; the zero value if there is none.
	Result Res
	// Err is why there is none, an [*contract.Error], or nil.
	Err error
}

// SubmitBatch stores requests to an endpoint as one durable job. They are stored all or not
// at all, and have to fit into one message of the broker; the REST gateway takes more. With
// the option Then the results go to another operation, in a job of its own.
func SubmitBatch[Req contract.Request, Res any](ctx context.Context, c *NATS, e contract.Endpoint[Req, Res], requests []Req, o contract.JobOptions) (BatchJob[Res], error) {
	if len(requests) == 0 {
		return BatchJob[Res]{}, contract.Errorf(contract.CodeMalformedRequest, "the batch is empty; give at least one request")
	}
	body, err := json.Marshal(requests)
	if err != nil {
		return BatchJob[Res]{}, fmt.Errorf("encode requests for %s: %w", e.Name(), err)
	}
	job, err := c.SubmitJobBatch(ctx, e.Spec, body, o)
	return BatchJob[Res]{id: job.ID, caller: c}, err
}

// ID returns the id of the job.
func (j BatchJob[Res]) ID() string { return j.id }

// Get returns the document of the job.
func (j BatchJob[Res]) Get(ctx context.Context) (contract.Job, error) {
	return j.caller.GetJob(ctx, j.id)
}

// Cancel ends the whole batch if it is queued or running.
func (j BatchJob[Res]) Cancel(ctx context.Context) (contract.Job, error) {
	return j.caller.CancelJob(ctx, j.id)
}

// Items returns the outcomes that there are, and the others as they are stored, until the
// job has ended. It ends with an error if the job does not succeed: its own if it failed,
// [contract.CodeCanceled] if it was canceled.
func (j BatchJob[Res]) Items(ctx context.Context) iter.Seq2[JobItem[Res], error] {
	return func(yield func(JobItem[Res], error) bool) {
		for line, err := range j.caller.JobLines(ctx, j.id) {
			item := JobItem[Res]{Index: line.Index}
			switch {
			case err != nil:
			case line.Error != nil:
				item.Err = line.Error
			case json.Unmarshal(line.Result, &item.Result) != nil:
				err = fmt.Errorf("decode result %d of job %s", line.Index, j.id)
			}
			if !yield(item, err) {
				return
			}
		}
	}
}

// SubmitJobBatch stores a batch, a JSON array of requests or one on each line, as one job
// and returns its document.
func (c *NATS) SubmitJobBatch(ctx context.Context, operation contract.Spec, body []byte, o contract.JobOptions) (contract.Job, error) {
	m := nats.NewMsg(contract.SubmitBatchSubject(operation.Service, operation.Operation))
	m.Data = body
	o.Headers(m.Header.Set)
	if o.Key != "" {
		m.Header.Set(contract.HeaderKey, o.Key)
	}
	if most := c.Conn.MaxPayload() - contract.HeaderRoom; int64(len(body)) > most {
		return contract.Job{}, contract.Errorf(contract.CodeRequestTooLarge, "the batch has %d bytes and the broker takes %d in a message; send it to the gateway, which takes %d", len(body), most, contract.MaxBatchJobBody)
	}
	return decodeJob[contract.Job](c.ask(ctx, m))
}

// JobLines returns the lines of a batch that is a job, without the last one that counts
// them: those there are, and the others as they are stored, until the job has ended. An
// error ends the sequence, as it does if the job does not succeed.
func (c *NATS) JobLines(ctx context.Context, id string) iter.Seq2[contract.BatchLine, error] {
	return func(yield func(contract.BatchLine, error) bool) {
		l := jobLines{caller: c, id: id, yield: yield}
		for job, err := range c.WatchJob(ctx, id) {
			if err == nil {
				err = l.readOn(ctx)
			}
			if err == nil {
				err = failureOf(job)
			}
			switch {
			case errors.Is(err, errEnough):
				return
			case err != nil:
				yield(contract.BatchLine{}, err)
				return
			}
		}
	}
}

// errEnough says that the reader wants no more.
var errEnough = errors.New("the reader has enough")

// failureOf returns why a job that has ended has no result.
func failureOf(job contract.Job) error {
	switch job.State {
	case contract.JobFailed:
		return job.Error
	case contract.JobCanceled:
		return contract.Errorf(contract.CodeCanceled, "the job %s was canceled", job.ID)
	default:
		return nil
	}
}

// jobLines reads the lines of a batch from where it was.
type jobLines struct {
	caller *NATS
	id     string
	yield  func(contract.BatchLine, error) bool
	at     int64  // bytes that were read
	rest   []byte // of a line that was not whole
}

// readOn hands on the lines that there are now.
func (l *jobLines) readOn(ctx context.Context) error {
	for {
		m, err := l.caller.do(ctx, "items", contract.JobItemsRequest{ID: l.id, Offset: l.at})
		if err != nil {
			return err
		}
		l.at += int64(len(m.Data))
		if err := l.handOn(m.Data); err != nil {
			return err
		}
		size := m.Header.Get(contract.HeaderContentRange)
		if len(m.Data) == 0 || strings.HasSuffix(size, fmt.Sprintf("/%d", l.at)) {
			return nil
		}
	}
}

// handOn hands on the lines that are whole with the bytes.
func (l *jobLines) handOn(data []byte) error {
	l.rest = append(l.rest, data...)
	for {
		line, rest, whole := bytes.Cut(l.rest, []byte("\n"))
		if !whole {
			l.rest = bytes.Clone(l.rest)
			return nil
		}
		l.rest = rest
		outcome, err := contract.ParseBatchLine(line)
		switch {
		case err != nil:
			return err
		case outcome.Done:
		case !l.yield(outcome, nil):
			return errEnough
		}
	}
}
