package host

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"github.com/nats-io/nuid"
	"golang.org/x/sync/semaphore"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host/internal/lane"
	"github.com/seed-649d3d38/heddle/jobs"
	"github.com/seed-649d3d38/heddle/solver"
)

// service is one hosted service: its endpoints, its slots and its identity towards
// service discovery.
type service struct {
	host      *Host
	spec      solver.Service
	identity  micro.ServiceIdentity
	started   time.Time
	gate      *gate
	lane      *lane.Lane
	cancels   *cancels
	endpoints []*endpoint
	verbs     []*nats.Subscription
	handles   *handles
	parts     *nats.Subscription          // takes requests for parts of handles
	jobs      atomic.Pointer[jobs.Runner] // nil where there are no durable jobs
	batches   *semaphore.Weighted         // those that are jobs and are looked after here
	share     *share
}

func newService(h *Host, cfg Config, spec solver.Service) (*service, error) {
	s := &service{
		host:    h,
		spec:    spec,
		started: time.Now().UTC(),
		share:   newShare(cfg.slots(spec)),
		handles: newHandles(h.memory),
		cancels: new(cancels),
		batches: semaphore.NewWeighted(batchesAtOnce),
		identity: micro.ServiceIdentity{
			Name: spec.Name, ID: nuid.Next(), Version: spec.Version,
			Metadata: map[string]string{}, // null would break ADR-32 clients
		},
	}
	s.gate = newGate(cfg.slots(spec), cfg.Queue, s.slotsChanged)
	recorder, err := recorders(cfg.Meter, h, s)
	if err != nil {
		return nil, fmt.Errorf("make instruments: %w", err)
	}
	for _, op := range spec.Operations {
		e, err := newEndpoint(s, op, cfg.Tracer, recorder(op.Endpoint.Spec))
		if err != nil {
			return nil, fmt.Errorf("operation %s: %w", op.Endpoint.Name(), err)
		}
		s.endpoints = append(s.endpoints, e)
	}
	// The endpoints of chunks come after those of requests.
	for _, e := range s.endpoints {
		s.endpoints = append(s.endpoints, e.forChunks(recorder))
	}
	return s, nil
}

// subscribe joins the lane, takes requests and answers discovery. Where nothing but jobs is
// wanted these are the requests of batches that are jobs, with a lane of their own, and
// nobody discovers them. The context is the one that requests work under.
func (s *service) subscribe(ctx context.Context, cfg Config) error {
	if cfg.JobsOnly && cfg.Jobs == nil {
		return nil
	}
	if err := s.joinLane(ctx, cfg.Queue); err != nil {
		return err
	}
	if err := s.serveHandles(ctx); err != nil {
		return err
	}
	if err := s.hearCancels(ctx); err != nil {
		return err
	}
	group := contract.QueueGroup(s.spec.Name)
	for _, e := range s.endpoints {
		sub, err := s.host.nc.QueueSubscribe(e.subject, group, func(m *nats.Msg) { e.receive(ctx, m) })
		if err != nil {
			return fmt.Errorf("subscribe to %s: %w", e.subject, err)
		}
		e.sub = sub
	}
	if cfg.JobsOnly {
		return nil
	}
	return s.announce(ctx)
}

// slotsChanged asks for what there are slots for now, the requests of the lane first.
func (s *service) slotsChanged() {
	if s.lane != nil {
		s.lane.Ask()
	}
	s.wakeJobs()
}

// hide leaves service discovery, so that nobody counts on an instance that drains.
func (s *service) hide() {
	for _, sub := range s.verbs {
		_ = sub.Unsubscribe() // fails only when the connection is gone, and the subscription with it
	}
	s.verbs = nil
}

// stop ends the intake. Each channel is closed when a subscription has delivered its
// last message.
func (s *service) stop() []<-chan struct{} {
	var closed []<-chan struct{}
	for _, e := range s.endpoints {
		if e.sub == nil {
			continue
		}
		done := make(chan struct{})
		e.sub.SetClosedHandler(func(string) { close(done) })
		if err := e.sub.Drain(); err != nil {
			// The connection is gone and will deliver nothing more.
			continue
		}
		closed = append(closed, done)
	}
	return closed
}

// unsubscribe removes every subscription at once, without draining.
func (s *service) unsubscribe() {
	s.hide()
	s.stopJobs()
	if s.lane != nil {
		s.lane.Close()
	}
	if s.parts != nil {
		_ = s.parts.Unsubscribe() // as in hide
	}
	s.handles.close()
	for _, e := range s.endpoints {
		if e.sub != nil {
			_ = e.sub.Unsubscribe() // as in hide
		}
	}
}
