package host

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host/internal/lane"
)

// joinLane joins the lane of the service and asks it for work whenever slots are free.
func (s *service) joinLane(ctx context.Context, size int) error {
	l, err := lane.Open(ctx, s.host.nc, lane.Config{
		Service: s.spec.Name,
		Size:    size,
		Log:     s.host.log,
		Pure: func(operation string) bool {
			e := s.endpoint(operation)
			return e != nil && e.spec.Pure
		},
		Take:   func(e lane.Entry) bool { return s.take(ctx, e) },
		Refuse: func(e lane.Entry, why lane.Reason) { s.refuse(ctx, e, why) },
		Keep:   func(e lane.Entry) { s.keep(ctx, e) },
	})
	if err != nil {
		return fmt.Errorf("join lane: %w", err)
	}
	s.lane = l
	s.gate.changed = l.SetFree
	l.SetFree(int(s.gate.slots))
	return nil
}

// endpoint returns the endpoint of an operation, nil if there is none.
func (s *service) endpoint(operation string) *endpoint {
	for _, e := range s.endpoints {
		if e.spec.Operation == operation {
			return e
		}
	}
	return nil
}

// take solves a request of the lane if a slot is free.
func (s *service) take(ctx context.Context, entry lane.Entry) bool {
	if !s.gate.try() {
		return false
	}
	e, c := s.resume(ctx, entry)
	if e == nil {
		s.gate.release()
		return true
	}
	e.spawn(ctx, c, func(context.Context) error { return nil })
	return true
}

// keep lets a request wait here that came back from the lane.
func (s *service) keep(ctx context.Context, entry lane.Entry) {
	if e, c := s.resume(ctx, entry); e != nil {
		e.keep(ctx, c)
	}
}

// resume makes a call of a request that was in the lane. If the request cannot be solved
// here its caller is told, and the endpoint is nil.
func (s *service) resume(ctx context.Context, entry lane.Entry) (*endpoint, *call) {
	c := newCall(entry.Message, entry.Arrived)
	e := s.endpoint(entry.Operation)
	if e == nil { // another release of the service put it there
		s.endpoints[0].fail(ctx, c, contract.Errorf(contract.CodeUnavailable, "this instance does not know the operation %s", entry.Operation))
		return nil, nil
	}
	if err := e.prepare(c); err != nil {
		e.fail(ctx, c, err)
		return nil, nil
	}
	c.deadline = entry.Deadline
	return e, c
}

// refuse tells a caller that the lane gave its request up.
func (s *service) refuse(ctx context.Context, entry lane.Entry, why lane.Reason) {
	e := s.endpoint(entry.Operation)
	if e == nil {
		e = s.endpoints[0]
	}
	err := map[lane.Reason]error{
		lane.Full:    full(),
		lane.Expired: context.DeadlineExceeded,
		lane.Lost:    lost(),
	}[why]
	e.fail(ctx, newCall(entry.Message, entry.Arrived), err)
}

// leaveLane works the lane off if nobody else does, then leaves it. It returns when
// nothing from the lane can begin here any more.
func (s *service) leaveLane(ctx context.Context) {
	s.lane.Finish(ctx)
	if ctx.Err() != nil {
		// The time for the drain is up. What is taken now is answered at once: that
		// the instance shuts down.
		last, stop := context.WithTimeout(context.WithoutCancel(ctx), lastAnswers/2)
		defer stop()
		s.lane.Finish(last)
	}
	select {
	case <-s.lane.Stop():
	case <-time.After(lastAnswers):
	}
	s.lane.Settle(ctx)
}
