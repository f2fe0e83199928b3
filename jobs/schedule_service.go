package jobs

import (
	"context"
	"slices"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/strict"
)

// ReadSchedule reads a request for a schedule, a [contract.ScheduleRequest], of one of the
// endpoints, and the idempotency key that came with it, if there is one. It returns a
// [*contract.Error]: [contract.CodeNotFound] for an operation that is not among the
// endpoints, [contract.CodeMalformedRequest] or [contract.CodeInvalidArgument] with the
// field at fault. The request to the operation is checked by [Store.CreateSchedule].
func ReadSchedule(body []byte, key string, endpoints []contract.Descriptor) (job Submission, when contract.Timing, err error) {
	var r contract.ScheduleRequest
	if err := strict.Decode(body, &r); err != nil {
		return job, when, err
	}
	if err := r.Validate(); err != nil {
		return job, when, err
	}
	i := slices.IndexFunc(endpoints, func(d contract.Descriptor) bool {
		return d.Service == r.Service && d.Operation == r.Operation
	})
	if i < 0 {
		return job, when, contract.Errorf(contract.CodeNotFound, "there is no operation %.40q of a service %.40q", r.Operation, r.Service)
	}
	if when, err = r.Timing(); err != nil {
		return job, when, err
	}
	options, err := r.Options()
	if err != nil {
		return job, when, err
	}
	options.Key, err = contract.ParseKey(key)
	return Submission{Endpoint: endpoints[i], Body: r.Request, Options: options}, when, err
}

// scheduleVerbs are the subjects about schedules and their answers.
func (s *Service) scheduleVerbs() map[string]answer {
	return map[string]answer{
		contract.SchedulesSubject("create"): s.createSchedule,
		contract.SchedulesSubject("list"):   s.listSchedules,
		contract.SchedulesSubject("get"):    s.getSchedule,
		contract.SchedulesSubject("delete"): s.deleteSchedule,
	}
}

// createSchedule stores a schedule.
func (s *Service) createSchedule(ctx context.Context, m *nats.Msg) (any, *nats.Msg, error) {
	job, when, err := ReadSchedule(m.Data, m.Header.Get(contract.HeaderKey), s.endpoints)
	if err != nil {
		return nil, nil, err
	}
	doc, _, err := s.store.CreateSchedule(ctx, job, when)
	return doc, nil, err
}

// listSchedules returns a page of schedules.
func (s *Service) listSchedules(ctx context.Context, m *nats.Msg) (any, *nats.Msg, error) {
	var q contract.ScheduleQuery
	if len(m.Data) > 0 { // an empty request asks for all
		if err := strict.Decode(m.Data, &q); err != nil {
			return nil, nil, err
		}
	}
	list, err := s.store.ListSchedules(ctx, q)
	return list, nil, err
}

// getSchedule returns the document of a schedule.
func (s *Service) getSchedule(ctx context.Context, m *nats.Msg) (any, *nats.Msg, error) {
	ref, err := scheduleNamed(m)
	if err != nil {
		return nil, nil, err
	}
	doc, err := s.store.GetSchedule(ctx, ref)
	return doc, nil, err
}

// deleteSchedule ends a schedule and returns its id.
func (s *Service) deleteSchedule(ctx context.Context, m *nats.Msg) (any, *nats.Msg, error) {
	ref, err := scheduleNamed(m)
	if err != nil {
		return nil, nil, err
	}
	return contract.ScheduleID{ID: ref.ID()}, nil, s.store.DeleteSchedule(ctx, ref)
}

// scheduleNamed returns the schedule that a request names.
func scheduleNamed(m *nats.Msg) (contract.JobRef, error) {
	var r contract.ScheduleID
	if err := strict.Decode(m.Data, &r); err != nil {
		return contract.JobRef{}, err
	}
	return contract.ParseScheduleID(r.ID)
}
