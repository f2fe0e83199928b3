package jobs

import (
	"context"
	"slices"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/strict"
)

// queues returns the queues of all services, or of the one that is named.
func (s *Service) queues(ctx context.Context, m *nats.Msg) (any, *nats.Msg, error) {
	services := s.services()
	var r contract.JobQueueRequest
	if len(m.Data) > 0 { // an empty request asks for all, as one without a name does
		if err := strict.Decode(m.Data, &r); err != nil {
			return nil, nil, err
		}
	}
	if r.Service != "" {
		if err := s.check(r); err != nil {
			return nil, nil, err
		}
		services = []string{r.Service}
	}
	queues, err := s.store.Queues(ctx, services...)
	return queues, nil, err
}

// byService returns the answer to requests that name a service: its queue after something
// was done.
func (s *Service) byService(do func(context.Context, string) error) answer {
	return func(ctx context.Context, m *nats.Msg) (any, *nats.Msg, error) {
		var r contract.JobQueueRequest
		if err := strict.Decode(m.Data, &r); err != nil {
			return nil, nil, err
		}
		if err := s.check(r); err != nil {
			return nil, nil, err
		}
		if err := do(ctx, r.Service); err != nil {
			return nil, nil, err
		}
		queue, err := s.store.Queue(ctx, r.Service)
		return queue, nil, err
	}
}

// check refuses a request that names no service of these here.
func (s *Service) check(r contract.JobQueueRequest) error {
	if err := r.Validate(); err != nil {
		return err
	}
	if !slices.Contains(s.services(), r.Service) {
		return contract.Errorf(contract.CodeNotFound, "there is no service %s", r.Service)
	}
	return nil
}
