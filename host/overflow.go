package host

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/micro"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host/internal/lane"
)

// joinLane joins the lane of the service and asks it for work whenever slots are free.
func (s *service) joinLane(ctx context.Context, size int) error {
	name := s.spec.Name
	if s.host.jobsOnly {
		name = contract.ItemLane(name)
	}
	l, err := lane.Open(ctx, s.host.nc, lane.Config{
		Service: name,
		Size:    size,
		Log:     s.host.log,
		Pure: func(operation string) bool {
			e := s.endpoint(operation)
			return e != nil && e.spec.Pure
		},
		Free:   s.gate.idle,
		Take:   func(e lane.Entry) bool { return s.take(ctx, e) },
		Refuse: func(e lane.Entry, why lane.Reason) { s.refuse(ctx, e, why) },
		Idle:   s.wakeJobs,
		Keep:   func(e lane.Entry) { s.keep(ctx, e) },
	})
	if err != nil {
		return fmt.Errorf("join lane: %w", err)
	}
	s.lane = l
	l.Ask()
	return nil
}

// endpoint returns the endpoint of the name, nil if there is none.
func (s *service) endpoint(name string) *endpoint {
	for _, e := range s.endpoints {
		if e.name == name {
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
	if !s.host.spawn(func() { s.solve(ctx, entry) }) {
		s.gate.release(1)
		return false // another instance may have time
	}
	return true
}

// solve solves a request of the lane in a slot that was taken for it.
func (s *service) solve(ctx context.Context, entry lane.Entry) {
	// The claim comes first, whatever the request is and whether there is time for it:
	// only who has it may answer the caller.
	if err := s.lane.Claim(context.WithoutCancel(ctx), entry); err != nil {
		s.host.log.DebugContext(ctx, "request of the lane is not ours", "operation", entry.Operation, "error", err)
		s.gate.release(1)
		return
	}
	e, c := s.resume(ctx, entry)
	if e == nil {
		s.gate.release(1)
		return
	}
	e.heavy(ctx, c, func(context.Context) error { return nil })
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

// leaveLane leaves the lane: to other instances if there are any, otherwise empty. It
// returns when nothing from the lane can begin here any more.
func (s *service) leaveLane(ctx context.Context) {
	// The requests of batches need nobody who works them off: whoever waits for them ends
	// with this instance, or asks again.
	peer := s.host.jobsOnly || s.workOff(ctx)
	if ctx.Err() != nil {
		// The time for the drain is up. What is taken now is answered at once: that
		// the instance shuts down.
		last, stop := context.WithTimeout(context.WithoutCancel(ctx), lastAnswers/2)
		defer stop()
		peer = s.workOff(last)
	}
	select {
	case <-s.lane.Stop():
	case <-time.After(lastAnswers):
	}
	if peer {
		s.lane.Settle(ctx)
		s.lane.Leave()
	}
}

// peerPatience is how long another instance may take to say that it is there. If there is
// none the broker says so at once.
const peerPatience = time.Second

// workOffTick is how often the last instance looks whether the lane is empty.
const workOffTick = 50 * time.Millisecond

// workOff keeps taking requests until another instance is there to do so, which it
// reports, or the lane is empty, ctx ends or the broker is out of reach. So the last
// instance to leave leaves nobody waiting.
func (s *service) workOff(ctx context.Context) (peer bool) {
	ticker := time.NewTicker(workOffTick)
	defer ticker.Stop()
	for s.host.nc.IsConnected() {
		if s.hasPeer(ctx) {
			return true
		}
		if s.lane.Empty(ctx) {
			return false
		}
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
	}
	return false
}

// hasPeer reports whether another instance of the service is there that does not drain:
// those that do have left service discovery, like this one.
func (s *service) hasPeer(ctx context.Context) bool {
	subject, err := micro.ControlSubject(micro.PingVerb, s.identity.Name, "")
	if err != nil { // the name has been announced, so it is a good one
		s.host.log.ErrorContext(ctx, "name discovery subject", "error", err)
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, peerPatience)
	defer cancel()
	_, err = s.host.nc.RequestWithContext(ctx, subject, nil)
	return err == nil
}
