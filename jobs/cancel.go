package jobs

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
)

// Cancel ends a job that is queued or running and returns its document. That is stored
// when Cancel returns; the instance that works on the job hears of it at once. Of a job
// that is canceled already it returns the document too.
//
// It returns a [*contract.Error]: [contract.CodeNotFound], or [contract.CodeConflict] if
// the job has ended in another way.
func (s *Store) Cancel(ctx context.Context, ref contract.JobRef) (contract.Job, error) {
	for {
		f, err := s.find(ctx, ref)
		if err != nil {
			return contract.Job{}, err
		}
		job := f.job()
		if job.State == contract.JobCanceled {
			return job, nil
		}
		if job.State.Terminal() {
			return job, wrongState(job, "queued or running", "canceled")
		}
		r, err := s.closed(ctx, f, contract.JobCanceled)
		if err != nil {
			return contract.Job{}, err
		}
		switch err := s.write(ctx, ref, r, contract.DefaultRetention+recordKept); {
		case isMoved(err): // it has changed meanwhile
		case err != nil:
			return contract.Job{}, unavailable(err)
		default:
			s.withdraw(ctx, ref)
			if err := s.settle(ctx, ref, r); err != nil {
				s.cfg.Log.WarnContext(ctx, "limit what is kept of a canceled batch", "job", ref.ID(), "error", err)
			}
			return r.Job, nil
		}
	}
}

// pastAll is after every delivery of a message: attempts at a job that was canceled or
// retried by hand do not go on with it.
const pastAll = 1<<53 - 1

// closed returns the record of the job after it was ended in the state by somebody who does
// not work on it.
func (s *Store) closed(ctx context.Context, f found, state contract.JobState) (*record, error) {
	r := &record{revision: f.record.revision}
	if f.exists() {
		*r = *f.record
	} else {
		r.Job, r.Payload = f.job(), f.payload()
	}
	if f.message == nil {
		var err error
		if f.message, err = s.queuedMessage(ctx, f.ref); err != nil {
			return nil, unavailable(err)
		}
	}
	if f.message != nil {
		r.keep(f.message)
		r.Upload = uploadOf(f.message.Header.Get, f.message.Data)
		if sequence, _, err := stored(f.message); err == nil {
			r.Work = max(r.Work, sequence)
		}
	}
	r.Delivery = pastAll
	r.State, r.NotBefore = state, time.Time{}
	r.Finished = time.Now().UTC().Truncate(time.Microsecond)
	return r, nil
}

// withdraw takes a job that was ended out of the work stream and tells who works on it.
// If it cannot, whoever comes across the job finds that it has ended.
func (s *Store) withdraw(ctx context.Context, ref contract.JobRef) {
	if err := s.nc.Publish(ref.CancelSubject(), nil); err != nil {
		s.cfg.Log.WarnContext(ctx, "tell that a job was ended", "job", ref.ID(), "error", err)
	}
	if err := s.remove(ctx, ref); err != nil {
		s.cfg.Log.WarnContext(ctx, "withdraw job that was ended", "job", ref.ID(), "error", err)
	}
}

// remove takes the message of a job out of the work stream, if it is there. It deletes the
// message and does not purge its subject: that moves the floor of the consumer past other
// messages that are being worked on, whose acknowledgements then count for nothing
// (nats-server 2.15.2, consumer.purge).
func (s *Store) remove(ctx context.Context, ref contract.JobRef) error {
	m, err := s.queuedMessage(ctx, ref)
	if m == nil || err != nil {
		return err
	}
	sequence, _, err := stored(m)
	if err != nil {
		return err
	}
	err = s.deleteMessage(ctx, contract.WorkStream(ref.Service), sequence)
	if refused, ok := errors.AsType[*refusedError](err); ok && refused.code == noMessage {
		return nil // it was acknowledged meanwhile
	}
	return err
}

// deleteMessage deletes one message of a stream.
func (s *Store) deleteMessage(ctx context.Context, stream string, sequence uint64) error {
	body := `{"seq":` + strconv.FormatUint(sequence, 10) + `,"no_erase":true}`
	_, _, err := s.store(ctx, &nats.Msg{Subject: "$JS.API.STREAM.MSG.DELETE." + stream, Data: []byte(body)})
	return err
}

// Retry queues a job again that failed or was canceled, with all its attempts before it,
// and returns its document. A job that is said to be queued and is not, because whoever
// retried it died in the middle of that or its message was deleted by hand, is queued too.
//
// It returns a [*contract.Error]: [contract.CodeNotFound], or [contract.CodeConflict] if
// the job is in another state or its request was not one that could be kept.
func (s *Store) Retry(ctx context.Context, ref contract.JobRef) (contract.Job, error) {
	for {
		f, err := s.find(ctx, ref)
		if err != nil {
			return contract.Job{}, err
		}
		switch job := f.job(); {
		case job.State == contract.JobQueued && f.exists() && f.record.Request != nil:
			m, err := s.queuedMessage(ctx, ref)
			if err != nil {
				return job, unavailable(err)
			}
			if m == nil {
				return job, s.requeue(ctx, ref, f.record)
			}
			return job, wrongState(job, "failed or canceled", "retried")
		case job.State != contract.JobFailed && job.State != contract.JobCanceled:
			return job, wrongState(job, "failed or canceled", "retried")
		case f.record.Request == nil:
			return job, contract.Errorf(contract.CodeConflict, "the job %s cannot be retried, since its request is not JSON; submit another one", job.ID)
		}
		if f.record.Upload != nil {
			if err := s.keepUpload(ctx, ref, f.record.Upload, 0); err != nil {
				return contract.Job{}, err
			}
		}
		r := *f.record
		r.State, r.Attempt, r.Error, r.Progress = contract.JobQueued, 0, nil, nil
		r.Delivery = pastAll
		r.Instance, r.Started, r.Finished, r.QueueMS = "", time.Time{}, time.Time{}, 0
		switch err := s.write(ctx, ref, &r, 0); {
		case isMoved(err): // by somebody else in this moment
			continue
		case err != nil:
			return contract.Job{}, unavailable(err)
		}
		s.withdrawHint(ctx, ref, f.record.State)
		return r.Job, s.requeue(ctx, ref, &r)
	}
}

// requeue puts a job into the work stream whose record says that it is queued. If that
// fails the record stays as it is, and another Retry does it, or [Store.Heal].
func (s *Store) requeue(ctx context.Context, ref contract.JobRef, r *record) error {
	err := s.enqueue(ctx, ref, r)
	if isQueued(err) {
		// The message of the attempt before is still there: the job had ended, and its
		// acknowledgement is on its way. It would take this job along.
		if err = s.remove(ctx, ref); err == nil {
			err = s.enqueue(ctx, ref, r)
		}
	}
	if err == nil {
		s.tell(ctx, ref, r.Class)
		return nil
	}
	if isFull(err) {
		full := contract.Errorf(contract.CodeResourceExhausted, "too many jobs of %s are queued; retry this one again later", ref.Service)
		full.RetryAfter = time.Second
		return full.WithCause(err)
	}
	return unavailable(err)
}

// enqueue stores the message of a job whose record says that it is queued.
func (s *Store) enqueue(ctx context.Context, ref contract.JobRef, r *record) error {
	m := &nats.Msg{Subject: ref.WorkSubject(r.Class), Data: r.Request, Header: nats.Header{
		contract.HeaderRevision: {strconv.FormatUint(r.revision, 10)},
	}}
	for header, value := range r.Options {
		m.Header[header] = []string{value}
	}
	_, _, err := s.store(ctx, m)
	return err
}

func wrongState(job contract.Job, wanted, done string) error {
	return contract.Errorf(contract.CodeConflict, "the job %s is %s; only jobs that are %s can be %s", job.ID, job.State, wanted, done)
}
