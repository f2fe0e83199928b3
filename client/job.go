package client

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
)

// JobCaller carries what is done about durable jobs: [NATS] does it through the jobs
// service, which every gateway and every instance hosts. Errors are [*contract.Error].
type JobCaller interface {
	// SubmitJob stores a job of the operation with the body as its request, and returns
	// its document.
	SubmitJob(ctx context.Context, operation contract.Spec, body []byte, o contract.JobOptions) (contract.Job, error)
	// GetJob returns the document of a job.
	GetJob(ctx context.Context, id string) (contract.Job, error)
	// ListJobs returns one page of a list of jobs.
	ListJobs(ctx context.Context, query contract.JobQuery) (contract.JobList, error)
	// WatchJob returns what a job is now and its changes until it has ended; that one is
	// the last. A slow reader misses changes in between, never the last one. A broker that
	// goes away meanwhile is waited for. An error ends the sequence.
	WatchJob(ctx context.Context, id string) iter.Seq2[contract.Job, error]
	// CancelJob ends a job that is queued or running, and returns its document.
	CancelJob(ctx context.Context, id string) (contract.Job, error)
	// RetryJob queues a job again that failed or was canceled, and returns its document.
	RetryJob(ctx context.Context, id string) (contract.Job, error)
	// OpenJob returns the result of a job that succeeded as a stream, which the caller
	// closes. The stream ends with [io.EOF] only if all bytes have the stored digest.
	OpenJob(ctx context.Context, id string) (*Result, error)
}

// Job is a durable job of an endpoint whose result has the type Res. It holds no
// connection and no state: it can be copied, is safe for concurrent use, and [JobOf] makes
// it again from its id, in another process too.
type Job[Res any] struct {
	id     string
	caller JobCaller
}

// Submit stores a request to an endpoint as a durable job, which is done whatever becomes
// of the caller. The zero value of the options is usable; with a Key, a submission may be
// repeated and is the same job.
//
//	job, err := client.Submit(ctx, c, contract.FibonacciTerm, contract.TermRequest{N: "10000000"}, contract.JobOptions{})
//	…
//	term, err := job.Wait(ctx)
//
// A request that is not valid is refused at once, with [contract.CodeInvalidArgument]; too
// many queued jobs are [contract.CodeResourceExhausted].
func Submit[Req contract.Request, Res any](ctx context.Context, c JobCaller, e contract.Endpoint[Req, Res], request Req, o contract.JobOptions) (Job[Res], error) {
	body, err := json.Marshal(request)
	if err != nil {
		return Job[Res]{}, fmt.Errorf("encode request for %s: %w", e.Name(), err)
	}
	if _, ok := any(*new(Res)).(contract.Lines); ok && o.Accept == "" {
		o.Accept = contract.MediaJSON // else the result would come line by line
	}
	job, err := c.SubmitJob(ctx, e.Spec, body, o)
	if err != nil {
		return Job[Res]{}, err
	}
	return Job[Res]{id: job.ID, caller: c}, nil
}

// JobOf returns the job of an endpoint that has the id. It asks nobody; it returns
// [contract.CodeNotFound] for what cannot be an id, and [contract.CodeInvalidArgument] for
// the id of a job of another endpoint.
func JobOf[Req contract.Request, Res any](c JobCaller, e contract.Endpoint[Req, Res], id string) (Job[Res], error) {
	ref, err := contract.ParseJobID(id)
	if err != nil {
		return Job[Res]{}, err
	}
	if ref.Service != e.Service || ref.Operation != e.Operation {
		return Job[Res]{}, contract.Invalid("id", "must name a job of %s, not of %s.%s", e.Name(), ref.Service, ref.Operation)
	}
	return Job[Res]{id: id, caller: c}, nil
}

// ID returns the id of the job.
func (j Job[Res]) ID() string { return j.id }

// Get returns the document of the job.
func (j Job[Res]) Get(ctx context.Context) (contract.Job, error) { return j.caller.GetJob(ctx, j.id) }

// Watch returns what the job is now and its changes until it has ended, as
// [JobCaller.WatchJob] does.
func (j Job[Res]) Watch(ctx context.Context) iter.Seq2[contract.Job, error] {
	return j.caller.WatchJob(ctx, j.id)
}

// Cancel ends the job if it is queued or running, and returns its document. Otherwise, if
// it was not canceled before, it returns [contract.CodeConflict].
func (j Job[Res]) Cancel(ctx context.Context) (contract.Job, error) {
	return j.caller.CancelJob(ctx, j.id)
}

// Retry queues the job again if it failed or was canceled, and returns its document.
// Otherwise it returns [contract.CodeConflict].
func (j Job[Res]) Retry(ctx context.Context) (contract.Job, error) {
	return j.caller.RetryJob(ctx, j.id)
}

// Open returns the result as a stream, for those that are larger than one wants in memory
// or whose form is not JSON. The caller closes it. It does not wait: while the job has no
// result it returns [contract.CodeConflict], and of a job that failed the job's error.
func (j Job[Res]) Open(ctx context.Context) (*Result, error) { return j.caller.OpenJob(ctx, j.id) }

// Wait waits until the job has ended and returns its result, or the error that the job
// ended with: [contract.CodeCanceled] if it was canceled. When ctx ends before, only the
// waiting ends.
func (j Job[Res]) Wait(ctx context.Context) (Res, error) {
	var result Res
	for job, err := range j.Watch(ctx) {
		switch {
		case err != nil:
			return result, err
		case job.State == contract.JobFailed:
			return result, job.Error
		case job.State == contract.JobCanceled:
			return result, contract.Errorf(contract.CodeCanceled, "the job %s was canceled", j.id)
		}
	}
	reply, err := readAll(j.Open(ctx))
	if err != nil {
		return result, err
	}
	if err := json.Unmarshal(reply.Body, &result); err != nil {
		return result, fmt.Errorf("decode result of job %s: %w", j.id, err)
	}
	return result, nil
}

// jobPatience is how long a question about jobs may take if ctx has no deadline.
const jobPatience = 12 * time.Second

// within bounds a question about jobs.
func within(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, bounded := ctx.Deadline(); bounded {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, jobPatience)
}

// checked is a stream that must have a digest. One with another digest ends with an error.
type checked struct {
	io.ReadCloser
	sum    hash.Hash
	digest string
}

// check returns the stream with its digest checked.
func check(r io.ReadCloser, digest string) io.ReadCloser {
	return &checked{r, sha256.New(), digest}
}

// Read implements [io.Reader].
func (c *checked) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	_, _ = c.sum.Write(p[:n]) // a hash never fails
	if errors.Is(err, io.EOF) && contract.FormatDigest([sha256.Size]byte(c.sum.Sum(nil))) != c.digest {
		return n, contract.Errorf(contract.CodeUnavailable, "the result did not arrive as it was stored; read it again")
	}
	return n, err
}
