package jobs

import (
	"context"
	"iter"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/follow"
)

// Event is the document of a job after a change.
type Event struct {
	Job contract.Job
	// Revision orders the events of all jobs; 0 for a job that has no record yet.
	Revision uint64
}

// Watch returns the changes of a job from now on, beginning with what it is now, until it
// has ended; that event is the last one. A reader that is slow misses changes in between,
// never the last one. A broker that goes away meanwhile is waited for. An error ends the
// sequence: [contract.CodeNotFound], [contract.CodeUnavailable] at the beginning, or that
// of ctx.
func (s *Store) Watch(ctx context.Context, ref contract.JobRef) iter.Seq2[Event, error] {
	look := func(ctx context.Context) (follow.Event, error) {
		event, err := s.look(ctx, ref)
		return follow.Event(event), err
	}
	return func(yield func(Event, error) bool) {
		for event, err := range follow.Job(ctx, s.nc, ref, look) {
			if !yield(Event(event), err) {
				return
			}
		}
	}
}

// look reads what a job is now.
func (s *Store) look(ctx context.Context, ref contract.JobRef) (Event, error) {
	f, err := s.find(ctx, ref)
	if err != nil {
		return Event{}, err
	}
	return Event{Job: f.job(), Revision: f.record.revision}, nil
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
