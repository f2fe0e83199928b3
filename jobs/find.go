package jobs

import (
	"context"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
)

// found is what there is of a job: its record, or else its message.
type found struct {
	ref     contract.JobRef
	record  *record   // revision 0 if there is none
	message *nats.Msg // nil if it was not looked for or is not there
}

// payload returns the digest of the request.
func (f found) payload() string {
	if f.exists() {
		return f.record.Payload
	}
	return payloadOf(f.message)
}

// exists reports whether there is a record.
func (f found) exists() bool { return f.record.State != "" }

// job returns the document.
func (f found) job() contract.Job {
	if f.exists() {
		return f.record.Job
	}
	_, at, err := stored(f.message)
	if err != nil { // the broker wrote it
		at = f.record.written
	}
	return queuedJob(f.ref, f.message, at)
}

// Get returns the document of a job, or a [*contract.Error] with [contract.CodeNotFound].
func (s *Store) Get(ctx context.Context, ref contract.JobRef) (contract.Job, error) {
	f, err := s.find(ctx, ref)
	if err != nil {
		return contract.Job{}, err
	}
	return f.job(), nil
}

// find returns the record of a job, or its message if it has none.
func (s *Store) find(ctx context.Context, ref contract.JobRef) (found, error) {
	// The record is read again after the message was not there: meanwhile the job may
	// have ended.
	for range 2 {
		r, err := s.readRecord(ctx, ref)
		if err != nil {
			return found{}, s.missing(ctx, err, ref)
		}
		f := found{ref: ref, record: r}
		if f.exists() {
			return f, nil
		}
		if f.message, err = s.queuedMessage(ctx, ref); err != nil {
			return found{}, s.missing(ctx, err, ref)
		}
		if f.message != nil {
			return f, nil
		}
	}
	return found{}, notFound(ref)
}

// missing explains an error of reading: where there is no stream there is no job, unless
// there is no JetStream that could have one.
func (s *Store) missing(ctx context.Context, err error, ref contract.JobRef) error {
	if !isNoResponders(err) {
		return unavailable(err)
	}
	if _, err := s.requester.Do(ctx, &nats.Msg{Subject: "$JS.API.INFO"}, apiTimeout); err != nil {
		return unavailable(err)
	}
	return notFound(ref)
}

func notFound(ref contract.JobRef) error {
	return contract.Errorf(contract.CodeNotFound, "there is no job %s; it never was, or has expired", ref.ID())
}

// queuedMessage reads the message of a job in the work stream, nil if it is not there.
func (s *Store) queuedMessage(ctx context.Context, ref contract.JobRef) (*nats.Msg, error) {
	for _, class := range []contract.JobClass{contract.ClassNormal, contract.ClassHigh} {
		subject := ref.WorkSubject(class)
		m, err := s.direct(ctx, contract.WorkStream(ref.Service), subject)
		if m != nil || err != nil {
			if m != nil {
				m.Subject = subject
			}
			return m, err
		}
	}
	return nil, nil
}
