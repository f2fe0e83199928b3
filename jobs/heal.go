package jobs

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/contract"
)

// settled is how long ago something must have been written for it to count as left
// half-written: whoever was in the middle of it has gone on or has died by then.
const settled = time.Minute

// lateBy is how long after its queue limit a job is given up that no instance gave up. One
// that is being begun has a record by then.
const lateBy = 5 * time.Second

// healConsumers pauses and resumes the consumers of a service that are not as it is. Such
// there are if somebody died in the middle of that, or made one meanwhile.
func (s *Store) healConsumers(ctx context.Context, service string, t tally) error {
	consumers, err := s.consumers(ctx, service)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(consumers, func(c *jetstream.ConsumerInfo) bool { return c.Name == leading })
	if i < 0 {
		return nil
	}
	until := pausedUntil(consumers[i])
	for _, c := range consumers {
		if pausedUntil(c).IsZero() == until.IsZero() {
			continue
		}
		if err := s.pauseConsumer(ctx, service, c.Name, until); err != nil {
			return err
		}
		t.add(service, contract.HealConsumer)
	}
	return nil
}

// healWork looks at the messages of a service.
func (s *Store) healWork(ctx context.Context, service string, from uint64, t tally) (next uint64, err error) {
	next = max(from, 1)
	for seen := 0; seen < sweepAtOnce; {
		var messages []*nats.Msg
		more, err := s.batch(ctx, contract.WorkStream(service), getRequest{Seq: next, Batch: sweepAtOnce - seen}, func(sequence uint64, m *nats.Msg) {
			messages = append(messages, m)
			next = sequence + 1
		})
		if isNoResponders(err) {
			return 0, nil // it has no jobs
		}
		if err == nil {
			err = s.healMessages(ctx, messages, t)
		}
		if err != nil {
			return from, err
		}
		if !more || len(messages) == 0 {
			return 0, nil
		}
		seen += len(messages)
	}
	return next, nil
}

// healMessages looks at messages of a work stream and at the records of their jobs.
func (s *Store) healMessages(ctx context.Context, messages []*nats.Msg, t tally) error {
	var old []found
	var refs []contract.JobRef
	for _, m := range messages {
		ref, _, ok := contract.ParseWorkSubject(m.Subject)
		if !ok || age(m) < s.settled {
			continue
		}
		old, refs = append(old, found{ref: ref, message: m}), append(refs, ref)
	}
	records, err := s.recordsOf(ctx, refs)
	if err != nil {
		return err
	}
	for _, f := range old {
		if f.record = records[f.ref]; f.record == nil {
			f.record = new(record)
		}
		if err := s.healMessage(ctx, f, t); err != nil {
			return err
		}
	}
	return nil
}

// healMessage deletes a message whose job has ended, and gives up the job of one that
// nobody will begin.
func (s *Store) healMessage(ctx context.Context, f found, t tally) error {
	if f.record.State.Terminal() {
		if time.Since(f.record.written) < s.settled {
			return nil // its acknowledgement is on its way
		}
		if err := s.settle(ctx, f.ref, f.record); err != nil {
			return err
		}
		deleted, err := s.deleteRead(ctx, f.ref.Service, f.message)
		if deleted {
			t.add(f.ref.Service, contract.HealLeftover)
		}
		return err
	}
	kind, why := s.hopeless(f)
	if why == nil {
		return nil
	}
	return s.giveUp(ctx, f, kind, why, t)
}

// hopeless says why nobody will begin the job of a message, nil if somebody may.
func (s *Store) hopeless(f found) (contract.HealKind, *contract.Error) {
	_, class, _ := contract.ParseWorkSubject(f.message.Subject)
	if !slices.Contains(contract.JobClasses(), class) {
		return contract.HealRefused, refused(f.message.Subject)
	}
	limit := queueLimit(f.message)
	if limit == 0 || age(f.message) < limit+lateBy || f.record.State == contract.JobRunning || f.record.Attempt > 0 {
		return "", nil
	}
	return contract.HealLate, late(limit)
}

// queueLimit returns how long the job of a message may wait, 0 for ever. Of options that are
// wrong an instance says so.
func queueLimit(m *nats.Msg) time.Duration {
	options, err := contract.ParseJobOptions(m.Header.Get)
	if err != nil {
		return 0
	}
	return options.QueueLimit
}

// age returns how long ago a message was stored.
func age(m *nats.Msg) time.Duration {
	_, at, err := stored(m)
	if err != nil { // the broker wrote it
		return 0
	}
	return time.Since(at)
}

// refused is the problem of a job whose message no instance takes.
func refused(subject string) *contract.Error {
	return contract.Errorf(contract.CodeInvalidArgument, "no instance takes a job with the subject %s; the class in it must be high or normal", subject)
}

// late is the problem of a job that waited for too long.
func late(limit time.Duration) *contract.Error {
	return contract.Errorf(contract.CodeDeadlineExceeded, "the job waited longer than its queue limit of %s", limit)
}

// giveUp ends a job with a problem if it is still what was found of it, and counts it.
func (s *Store) giveUp(ctx context.Context, f found, kind contract.HealKind, why *contract.Error, t tally) error {
	ended, err := s.fail(ctx, f, why)
	if !ended || err != nil {
		return err
	}
	t.add(f.ref.Service, kind)
	s.withdraw(ctx, f.ref)
	if f.message != nil { // one of an unknown class is not found by the job
		_, err = s.deleteRead(ctx, f.ref.Service, f.message)
	}
	return err
}

// fail writes that a job has failed, and reports whether it was still what was found of it.
func (s *Store) fail(ctx context.Context, f found, why *contract.Error) (bool, error) {
	r, err := s.closed(ctx, f, contract.JobFailed)
	if err != nil {
		return false, err
	}
	r.Error = why
	err = s.write(ctx, f.ref, r, contract.DefaultRetention+recordKept)
	if isMoved(err) {
		return false, nil // somebody has gone on with it
	}
	if err == nil {
		err = s.settle(ctx, f.ref, r)
	}
	return err == nil, err
}

// healRecords looks at the records of jobs that have not ended. Each must have a message.
func (s *Store) healRecords(ctx context.Context, from uint64, t tally) (next uint64, err error) {
	open, next, err := s.openRecords(ctx, from)
	if err != nil {
		return from, err
	}
	for service, refs := range open {
		queued, err := s.queuedOf(ctx, service, refs)
		if err != nil {
			return from, err
		}
		for _, ref := range refs {
			if queued[ref] {
				continue
			}
			if err := s.healRecord(ctx, ref, t); err != nil {
				return from, err
			}
		}
	}
	return next, nil
}

// healRecord queues a job again that seems to have no message, or gives it up.
func (s *Store) healRecord(ctx context.Context, ref contract.JobRef, t tally) error {
	// In this order: a job that ends has its record before its message goes.
	m, err := s.queuedMessage(ctx, ref)
	if err != nil || m != nil {
		return err
	}
	r, err := s.readRecord(ctx, ref)
	if err != nil || r.State != contract.JobQueued && r.State != contract.JobRunning || time.Since(r.written) < s.settled {
		return err
	}
	if r.State == contract.JobQueued && r.Request != nil {
		switch err := s.enqueue(ctx, ref, r); {
		case isQueued(err):
			return nil // somebody else was faster
		case isFull(err):
			return nil // the next pass finds it
		case err != nil:
			return err
		}
		t.add(ref.Service, contract.HealRequeued)
		return nil
	}
	why := contract.Errorf(contract.CodeUnavailable, "the request of the job is not in its queue any more: it was deleted there by hand, or the broker lost it; submit it again")
	return s.giveUp(ctx, found{ref: ref, record: r}, contract.HealLost, why, t)
}

// deleteRead deletes a message of a work stream that was read, and reports whether it
// was still there.
func (s *Store) deleteRead(ctx context.Context, service string, m *nats.Msg) (bool, error) {
	sequence, _, err := stored(m)
	if err != nil {
		return false, err
	}
	err = s.deleteMessage(ctx, contract.WorkStream(service), sequence)
	if refused, ok := errors.AsType[*refusedError](err); ok && refused.code == noMessage {
		return false, nil
	}
	return err == nil, err
}
