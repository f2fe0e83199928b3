package jobs

import (
	"context"
	"encoding/json"
	"iter"
	"strconv"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
)

// Event is the document of a job after a change.
type Event struct {
	Job contract.Job
	// Revision orders the events of all jobs; 0 for a job that has no record yet.
	Revision uint64
}

// Watch returns the changes of a job from now on, beginning with what it is now, until it
// has ended; that event is the last one. A reader that is slow misses changes in between,
// never the last one. An error ends the sequence: [contract.CodeNotFound], or that of ctx.
func (s *Store) Watch(ctx context.Context, ref contract.JobRef) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		changes := make(chan *nats.Msg, 1)
		sub, err := s.nc.Subscribe(ref.EventSubject(), func(m *nats.Msg) { replace(changes, m) })
		if err != nil {
			yield(Event{}, unavailable(err))
			return
		}
		defer func() { _ = sub.Unsubscribe() }() // fails only on a closed connection
		lost := s.nc.StatusChanged(nats.CONNECTED, nats.CLOSED)
		defer s.nc.RemoveStatusListener(lost)
		var last Event
		event, err := s.look(ctx, ref)
		for {
			if err != nil {
				yield(Event{}, err)
				return
			}
			if isNews(last, event) && !yield(event, nil) || event.Job.State.Terminal() {
				return
			}
			last = event
			select {
			case m := <-changes:
				event, err = readEvent(m)
			case <-lost: // what happened while the broker was away was not heard
				event, err = s.look(ctx, ref)
			case <-ctx.Done():
				err = contract.FromError(ctx.Err())
			}
		}
	}
}

// replace puts the message into the channel, in place of an older one. It is called by one
// goroutine.
func replace(changes chan *nats.Msg, m *nats.Msg) {
	select {
	case <-changes:
	default:
	}
	changes <- m
}

// isNews reports whether an event says more than the last one.
func isNews(last, event Event) bool {
	return last.Job.ID == "" || event.Revision > last.Revision
}

// look reads what a job is now.
func (s *Store) look(ctx context.Context, ref contract.JobRef) (Event, error) {
	f, err := s.find(ctx, ref)
	if err != nil {
		return Event{}, err
	}
	return Event{Job: f.job(), Revision: f.record.revision}, nil
}

// readEvent reads a record as the broker published it.
func readEvent(m *nats.Msg) (Event, error) {
	var e Event
	if err := json.Unmarshal(m.Data, &e.Job); err != nil {
		return e, contract.Errorf(contract.CodeNotFound, "the record of the job was deleted").WithCause(err)
	}
	var err error
	if e.Revision, err = strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64); err != nil {
		return e, contract.FromError(err)
	}
	return e, nil
}

// Wait returns the document of a job when it has ended, or what it is when ctx ends.
func (s *Store) Wait(ctx context.Context, ref contract.JobRef) (contract.Job, error) {
	var job contract.Job
	for event, err := range s.Watch(ctx, ref) {
		if err != nil {
			if job.ID != "" && ctx.Err() != nil {
				return job, nil
			}
			return job, err
		}
		job = event.Job
	}
	return job, nil
}
