package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/jobs"
	"github.com/seed-649d3d38/heddle/solver"
)

// takeJobs takes durable jobs of the service whenever slots are free. The context is the
// one that they work under.
func (s *service) takeJobs(ctx context.Context, store *jobs.Store) error {
	if store == nil {
		return nil
	}
	r, err := store.Start(ctx, jobs.RunnerConfig{
		Service:  s.spec.Name,
		Instance: s.identity.ID,
		Free:     s.roomForJobs,
		Run:      s.runJob,
		Log:      s.host.log,
	})
	if err != nil {
		return fmt.Errorf("take jobs: %w", err)
	}
	s.jobs.Store(r)
	r.Wake()
	return nil
}

// wakeJobs tells that there may be room for jobs.
func (s *service) wakeJobs() {
	if r := s.jobs.Load(); r != nil {
		r.Wake()
	}
}

// stopJobs takes no more jobs. Those that run go on.
func (s *service) stopJobs() {
	if r := s.jobs.Load(); r != nil {
		r.Stop()
	}
}

// job is a durable job on its way through its endpoint.
type job struct {
	*call
	attempt *jobs.Attempt
}

// runJob begins to work on a job, unless all slots are busy.
func (s *service) runJob(ctx context.Context, a *jobs.Attempt) bool {
	if a.Options().Items > 0 {
		return s.runBatch(ctx, a)
	}
	j := job{newCall(a.Message(), time.Now()), a}
	e, err := s.prepareJob(j)
	switch {
	case err != nil:
		return s.host.spawn(func() { s.failJob(ctx, ctx, j, err) })
	case j.cost.Light:
		e.lightJob(ctx, j)
		return true
	case !s.tryJob():
		return false
	}
	if !s.host.spawn(func() { e.heavyJob(ctx, j) }) {
		s.releaseJob(1, 0)
		return false
	}
	return true
}

// prepareJob finds the endpoint of a job and decodes, validates and weighs its request.
func (s *service) prepareJob(j job) (e *endpoint, err error) {
	ref := j.attempt.Ref()
	e = s.endpoint(ref.Operation)
	if e == nil || e.chunks {
		return nil, unknownOperation(ref)
	}
	if err := e.checkSize(j.message.Data); err != nil {
		return e, err
	}
	if j.media, err = negotiate(j.attempt.Options().Accept, e.offers); err != nil {
		return e, err
	}
	j.request, j.cost, err = e.read(j.message.Data)
	return e, err
}

// unknownOperation is no verdict: an instance of another release may know the operation.
func unknownOperation(ref contract.JobRef) error {
	return contract.Errorf(contract.CodeUnavailable, "no instance that took the job knows the operation %s.%s", ref.Service, ref.Operation)
}

// lightJob works on a job that takes no slot. Its result is stored by a goroutine, so that
// the next job need not wait for the broker.
func (e *endpoint) lightJob(ctx context.Context, j job) {
	work, done := j.attempt.Start(ctx)
	j.begin()
	result, err := e.solveJob(work, j)
	if !e.service.host.spawn(func() {
		defer done()
		e.endJob(ctx, work, j, result, err)
	}) {
		j.attempt.HandBack(ctx)
		done()
	}
}

// heavyJob works on a job in a slot that was taken for it.
func (e *endpoint) heavyJob(ctx context.Context, j job) {
	begun := time.Now()
	work, done := j.attempt.Start(ctx)
	defer done()
	gate, memory := e.service.gate, e.service.host.memory
	if err := memory.reserve(work, j.cost.Memory); err != nil {
		e.service.releaseJob(1, time.Since(begun))
		e.endJob(ctx, work, j, nil, err)
		return
	}
	defer memory.release(j.cost.Memory)
	slots := 1 + gate.more(j.cost.Slots-1)
	j.begin()
	result, err := e.solveJob(solver.WithSlots(work, int(slots)), j)
	e.service.releaseJob(slots, time.Since(begun))
	e.endJob(ctx, work, j, result, err)
}

// solveJob solves the request of a job.
func (e *endpoint) solveJob(ctx context.Context, j job) (solver.Encoded, error) {
	ctx, span := e.startSpan(solver.WithProgress(ctx, j.attempt.Report), j.call)
	result, err := e.solve(ctx, j.request)
	var text solver.Encoded
	if err == nil {
		text, err = encoded(j.media, result)
	}
	endSpan(span, err)
	return text, err
}

// encoded returns a result in the media type, as a text that need not be written out.
func encoded(form string, result any) (text solver.Encoded, err error) {
	defer caught(&err)
	if long, ok := result.(solver.Long); ok {
		return long.Encode(form), nil
	}
	var body []byte
	switch form {
	case contract.MediaText:
		body = result.(contract.Plain).AppendPlain(nil)
	case contract.MediaNDJSON:
		body = result.(contract.Lines).AppendLines(nil)
	default:
		if body, err = json.Marshal(result); err != nil {
			return nil, fmt.Errorf("encode result: %w", err)
		}
	}
	return bytes.NewReader(body), nil
}

// endJob stores the outcome of a job, or gives the job back if the instance shuts down.
func (e *endpoint) endJob(ctx, work context.Context, j job, result solver.Encoded, err error) {
	if err != nil {
		e.service.failJob(ctx, work, j, err)
		return
	}
	_, worked := j.times(time.Now())
	e.stats.count(worked, nil)
	e.recorder.recordJob(ctx, j.attempt.Queued(), worked, nil)
	j.attempt.Succeed(ctx, j.media, result)
}

// failJob ends an attempt whose work under the context has failed.
func (s *service) failJob(ctx, work context.Context, j job, err error) {
	if errors.Is(context.Cause(work), errShutdown) {
		j.attempt.HandBack(ctx)
		return
	}
	ref := j.attempt.Ref()
	f := contract.FromError(err)
	if f.Code == contract.CodeInternal {
		f = s.logInternal(ctx, ref.ID(), f)
	}
	if e := s.endpoint(ref.Operation); e != nil {
		_, worked := j.times(time.Now())
		e.stats.count(worked, f)
		e.recorder.recordJob(ctx, j.attempt.Queued(), worked, f)
	}
	j.attempt.Fail(work, f)
}
