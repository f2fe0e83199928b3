package rest

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/jobs"
)

// storeBatch stores a batch as one job.
func (o *operation) storeBatch(ctx context.Context, w http.ResponseWriter, r *http.Request) (job contract.Job, isNew bool, err error) {
	options, err := jobOptions(r)
	if err == nil {
		err = jobs.CheckThen(o.jobs.endpoints, options.Then)
	}
	if err != nil {
		return job, false, err
	}
	size := int64(contract.MaxBatchJobBody) // unless it is known to be less
	if r.ContentLength >= 0 {
		size = min(size, r.ContentLength)
	}
	if !o.jobs.batches.TryAcquire(size) {
		full := contract.Errorf(contract.CodeResourceExhausted, "the gateway is taking in batches of %d MiB, which is as much as it can; try again", batchJobBytes>>20)
		full.RetryAfter = time.Second
		return job, false, full
	}
	defer o.jobs.batches.Release(size)
	options.Accept = "" // lines have one form
	items, err := readBatch(w, r, contract.MaxBatchJobBody, contract.MaxBatchJobItems)
	if err != nil {
		return job, false, err
	}
	return o.jobs.store.SubmitBatch(ctx, jobs.BatchSubmission{
		Endpoint: o.Descriptor, Items: items, Options: options, Trace: o.observer.traceOf(ctx, r),
	})
}

// answerItems answers with the lines of a batch that is a job: those there are, and the
// others as they come, until the job has ended. If it ends without success there is no last
// line that counts them.
func (j *jobRoutes) answerItems(ctx context.Context, w http.ResponseWriter, r *http.Request, ref contract.JobRef) (int, error) {
	if _, acceptable := negotiate(acceptOf(r, contract.MediaNDJSON), []string{contract.MediaNDJSON}); !acceptable {
		return 0, contract.Errorf(contract.CodeNotAcceptable, "the lines of a batch are available as %s; accept it", contract.MediaNDJSON)
	}
	lines, more, err := j.store.Lines(ctx, ref)
	if err != nil {
		return 0, err
	}
	select {
	case j.streams.places <- struct{}{}:
		defer func() { <-j.streams.places }()
	default:
		return 0, crowded()
	}
	control := http.NewResponseController(w)
	h := w.Header()
	h["Cache-Control"] = noStore
	h["Content-Type"] = typeNDJSON
	h["X-Accel-Buffering"] = []string{"no"} // proxies that know it pass lines on at once
	w.WriteHeader(http.StatusOK)
	f := &itemsFollower{w: deadlineWriter{w, control}, flush: control.Flush}
	if err := f.flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, &cutError{err}
	}
	if err := f.write(ctx, lines); err != nil {
		return 0, &cutError{err}
	}
	if more {
		err = j.followItems(ctx, ref, f)
	}
	if err != nil {
		return 0, &cutError{err}
	}
	_ = control.SetWriteDeadline(time.Time{}) // the connection may be used again
	return http.StatusOK, nil
}

// followItems writes the lines of a batch as they come.
func (j *jobRoutes) followItems(ctx context.Context, ref contract.JobRef, f *itemsFollower) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	stay := j.onLeave(stop)
	defer stay()
	for _, err := range j.store.Watch(ctx, ref) {
		if err != nil {
			return err
		}
		lines, _, err := j.store.Lines(ctx, ref)
		if err != nil {
			return err
		}
		if err := f.write(ctx, lines); err != nil {
			return err
		}
	}
	return nil
}

// itemsFollower writes the lines of a batch that were not written yet.
type itemsFollower struct {
	w     deadlineWriter
	flush func() error
	at    int64 // bytes that were written
}

func (f *itemsFollower) write(ctx context.Context, lines *jobs.Stored) error {
	if lines.Size <= f.at {
		return nil
	}
	if err := lines.WriteRange(ctx, f.w, f.at, lines.Size); err != nil {
		return err
	}
	f.at = lines.Size
	if err := f.flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}
