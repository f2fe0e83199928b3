package jobs

import (
	"context"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/seed-649d3d38/heddle/contract"
)

// Stored is the result of a job. It can be read from any place on, by several at once.
type Stored struct {
	contract.JobResult
	store   *Store
	ref     contract.JobRef
	attempt int
	part    int64  // size of all parts but the last
	inline  []byte // nil if it is in parts
	grows   bool   // the last part may be longer by now
}

// Result returns the result of a job that succeeded.
//
// It returns a [*contract.Error]: [contract.CodeNotFound]; [contract.CodeConflict] if the
// job has not ended or was canceled; [contract.CodeGone] if the result has expired; the
// job's own error if it failed.
func (s *Store) Result(ctx context.Context, ref contract.JobRef) (*Stored, error) {
	job, err := s.Get(ctx, ref)
	if err != nil {
		return nil, err
	}
	switch {
	case job.State == contract.JobFailed:
		return nil, job.Error
	case job.State != contract.JobSucceeded:
		return nil, contract.Errorf(contract.CodeConflict, "the job %s is %s; only jobs that succeeded have a result", job.ID, job.State)
	case job.Result == nil || time.Now().After(job.Result.Expires):
		return nil, expired(job.ID)
	}
	r := &Stored{JobResult: *job.Result, store: s, ref: ref, attempt: job.Attempt}
	if r.inline, _ = job.Result.Inline(); r.Parts > 0 {
		first, err := s.direct(ctx, "KV_"+contract.ResultBucket, ref.PartSubject(job.Attempt, 0))
		if err != nil {
			return nil, s.missing(ctx, err, ref)
		}
		if first == nil {
			return nil, expired(job.ID)
		}
		r.part = int64(len(first.Data))
	}
	return r, nil
}

func expired(id string) error {
	return contract.Errorf(contract.CodeGone, "the result of the job %s has expired; submit it again, and ask for a longer %s if needed", id, contract.HeaderRetention)
}

// readAhead is the number of parts that are read at once.
const readAhead = 4

// WriteRange writes the bytes [from, to) of the result to w, reading some parts ahead of a
// writer that keeps up.
func (r *Stored) WriteRange(ctx context.Context, w io.Writer, from, to int64) error {
	if r.Parts == 0 {
		_, err := w.Write(r.inline[from:to])
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var reading errgroup.Group
	ahead := make(chan chan part, readAhead)
	reading.Go(func() error {
		defer close(ahead)
		for n := from / r.part; n*r.part < to; n++ {
			c := make(chan part, 1)
			select {
			case ahead <- c:
			case <-ctx.Done():
				return nil
			}
			reading.Go(func() error {
				c <- r.readPart(ctx, int(n))
				return nil
			})
		}
		return nil
	})
	err := r.writeParts(w, ahead, from, to)
	stop()
	_ = reading.Wait() // errors travel with the parts
	return err
}

// part is one part of a result, or why it could not be read.
type part struct {
	data []byte
	err  error
}

func (r *Stored) readPart(ctx context.Context, n int) part {
	m, err := r.store.direct(ctx, "KV_"+contract.ResultBucket, r.ref.PartSubject(r.attempt, n))
	switch {
	case err != nil:
		return part{err: unavailable(err)}
	case m == nil:
		return part{err: expired(r.ref.ID())}
	}
	want := min(r.part, r.Size-int64(n)*r.part)
	if r.grows && int64(len(m.Data)) > want {
		m.Data = m.Data[:want]
	}
	if int64(len(m.Data)) != want {
		return part{err: fmt.Errorf("part %d of the result of job %s has %d bytes and not %d", n, r.ref.ID(), len(m.Data), want)}
	}
	return part{data: m.Data}
}

// writeParts writes the parts in their order, without what lies outside of [from, to).
func (r *Stored) writeParts(w io.Writer, ahead <-chan chan part, from, to int64) error {
	at := from / r.part * r.part
	for c := range ahead {
		p := <-c
		if p.err != nil {
			return p.err
		}
		low, high := max(from-at, 0), min(to-at, int64(len(p.data)))
		if _, err := w.Write(p.data[low:high]); err != nil {
			return err
		}
		at += r.part
	}
	return nil
}
