package host

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/batch"
	"github.com/seed-649d3d38/heddle/internal/ndjson"
	"github.com/seed-649d3d38/heddle/jobs"
)

const (
	// batchesAtOnce is the number of batches that are jobs and that a service of an
	// instance looks after at once. It takes no slot for that: their requests do, here or
	// elsewhere.
	batchesAtOnce = 8

	// batchPause is how long a batch waits that is one too many.
	batchPause = time.Second

	// bytesPerItem is the memory in bytes that looking after a request of a batch takes
	// beside its text.
	bytesPerItem = 64
)

// runBatch begins to look after a batch that is a job. The requests of the batch go to the
// instances of the service like those of others: to those that take requests, or, if this
// one takes nothing but jobs, to those that do not either.
func (s *service) runBatch(ctx context.Context, a *jobs.Attempt) bool {
	e := s.endpoint(a.Ref().Operation)
	j := job{newCall(a.Message(), time.Now()), a}
	switch {
	case e == nil || e.chunks:
		return s.host.spawn(func() { s.failJob(ctx, ctx, j, unknownOperation(a.Ref())) })
	case !s.batches.TryAcquire(1):
		a.Postpone(batchPause)
		return true
	}
	if s.host.spawn(func() {
		defer s.batches.Release(1)
		e.batchJob(ctx, j)
	}) {
		return true
	}
	s.batches.Release(1)
	return false
}

// batchJob does a batch, from where attempts before this one have come.
func (e *endpoint) batchJob(ctx context.Context, j job) {
	work, done := j.attempt.Start(ctx)
	defer done()
	memory := e.service.host.memory
	size := min(memory.budget, 2*j.attempt.RequestSize()+int64(j.attempt.Options().Items)*bytesPerItem)
	if err := memory.reserve(work, size); err != nil {
		e.service.failJob(ctx, work, j, err)
		return
	}
	defer memory.release(size)
	j.begin()
	lines, err := e.doBatch(work, j)
	if err != nil {
		e.service.failJob(ctx, work, j, err)
		return
	}
	j.attempt.SucceedLines(ctx, lines)
}

// doBatch does what is left of a batch. Requests that fail for a reason that can pass are
// done again, after the others and a pause, as often as the job has attempts, and with
// more time each time: the first may have been too short, or their instance lost.
func (e *endpoint) doBatch(ctx context.Context, j job) (*jobs.Lines, error) {
	text, err := j.attempt.Requests(ctx)
	if err != nil {
		return nil, err
	}
	items, err := ndjson.Split(text, ndjson.Array, contract.MaxBatchJobItems)
	if err != nil {
		return nil, contract.Errorf(contract.CodeMalformedRequest, "%v; a batch is a JSON array of requests", err)
	}
	ended := make([]bool, items.Len())
	lines, err := j.attempt.OpenLines(ctx, items.Len(), func(l contract.BatchLine) {
		if l.Index < len(ended) {
			ended[l.Index] = true
		}
	})
	if err != nil {
		return nil, err
	}
	attempts := j.attempt.Options().Attempts
	for round := 1; ; round++ {
		run := &batchRound{last: round >= attempts}
		run.append = func(l contract.BatchLine) error {
			if ctx.Err() != nil && l.Error != nil {
				return context.Cause(ctx) // it is no outcome
			}
			return lines.Append(ctx, l)
		}
		for i := range ended {
			if !ended[i] {
				run.indexes = append(run.indexes, i)
			}
		}
		if err := e.doRound(ctx, j, items, run, min(contract.MaxTimeout, e.spec.Timeout<<min(round-1, 20))); err != nil {
			return nil, err
		}
		if len(run.again) == 0 {
			return lines, nil
		}
		for i := range ended {
			ended[i] = true
		}
		for _, i := range run.again {
			ended[i] = false
		}
		select {
		case <-time.After(jobs.Backoff(round)):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// doRound does the requests of a round, each within the time.
func (e *endpoint) doRound(ctx context.Context, j job, items ndjson.Items, run *batchRound, within time.Duration) error {
	one, chunk := e.spec.Subject(), e.spec.BatchSubject()
	if e.service.host.jobsOnly {
		one, chunk = contract.ItemSubject(e.spec.Service, e.spec.Operation), contract.ItemBatchSubject(e.spec.Service, e.spec.Operation)
	}
	operation := e.spec
	operation.Timeout = 2 * contract.MaxTimeout // the time of each message is said with it
	over := batch.OverSubjects(e.service.host.requester.Do, operation, one, chunk, traceHeader(j.message))
	send := func(ctx context.Context, body []byte, items int) (batch.Reply, error) {
		ctx, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		return over(ctx, body, items)
	}
	source := batch.List(len(run.indexes), func(i int) batch.Item {
		body := items.At(run.indexes[i])
		if err := e.checkSize(body); err != nil {
			return batch.Item{Fault: contract.FromError(err)}
		}
		return batch.Item{Body: body}
	})
	_, err := batch.Run(ctx, batch.Config{Pure: e.spec.Pure, Patience: within}, source, run, send)
	return err
}

// traceHeader returns the headers of the trace that a message belongs to.
func traceHeader(m *nats.Msg) nats.Header {
	if m.Header["traceparent"] == nil {
		return nil
	}
	return nats.Header{"traceparent": m.Header["traceparent"]}
}

// batchRound takes the outcomes of one round through the requests of a batch.
type batchRound struct {
	append  func(contract.BatchLine) error // adds an outcome to the lines of the job
	indexes []int                          // of the requests in the batch
	last    bool                           // there is no round after this one
	again   []int                          // requests to be done again
}

// Deliver implements [batch.Sink].
func (r *batchRound) Deliver(l contract.BatchLine) error {
	l.Index = r.indexes[l.Index]
	if l.Error != nil && !r.last && mayPass(l.Error) {
		r.again = append(r.again, l.Index)
		return nil
	}
	return r.append(l)
}

// Flush implements [batch.Sink]. Lines are stored by themselves.
func (*batchRound) Flush() error { return nil }

// mayPass reports whether a request that failed may succeed another time.
func mayPass(err error) bool {
	return jobs.CanPass(err) || errors.Is(err, contract.CodeDeadlineExceeded)
}
