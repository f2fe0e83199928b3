package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/contract"
)

// pauseFor is how long a service is paused if nobody resumes it: the broker wants an end.
const pauseFor = 10 * 365 * 24 * time.Hour

// Pause has no more jobs of the service given to instances until [Store.Resume], also after
// restarts. Jobs are taken in, and those in the hands of an instance go on.
//
// It returns a [*contract.Error] with [contract.CodeUnavailable] if the broker does not
// answer; some of the service's jobs may be paused then.
func (s *Store) Pause(ctx context.Context, service string) error {
	if err := s.Prepare(ctx, service); err != nil {
		return err
	}
	until := time.Now().Add(pauseFor)
	err := s.eachConsumer(ctx, service, func(stream, consumer string) error {
		_, err := s.js.PauseConsumer(ctx, stream, consumer, until)
		return err
	})
	if err != nil {
		return unavailable(fmt.Errorf("pause jobs of %s: %w", service, err))
	}
	return nil
}

// Resume has the jobs of a service given to instances again; of one that is not paused it
// changes nothing. An instance that asked for jobs meanwhile gets them when it asks again,
// within five seconds. Its errors are those of [Store.Pause].
func (s *Store) Resume(ctx context.Context, service string) error {
	if err := s.Prepare(ctx, service); err != nil {
		return err
	}
	err := s.eachConsumer(ctx, service, func(stream, consumer string) error {
		_, err := s.js.ResumeConsumer(ctx, stream, consumer)
		return err
	})
	if err != nil {
		return unavailable(fmt.Errorf("resume jobs of %s: %w", service, err))
	}
	return nil
}

// eachConsumer calls do for the consumers of all tenants, those of the default tenant first:
// whoever makes another one meanwhile looks at them.
func (s *Store) eachConsumer(ctx context.Context, service string, do func(stream, consumer string) error) error {
	stream, err := s.js.Stream(ctx, contract.WorkStream(service))
	if err != nil {
		return err
	}
	for _, class := range classes {
		if err := do(contract.WorkStream(service), contract.WorkConsumer(class, contract.DefaultTenant)); err != nil {
			return err
		}
	}
	all := stream.ConsumerNames(ctx)
	var names []string
	for name := range all.Name() {
		names = append(names, name)
	}
	if err := all.Err(); err != nil {
		return err
	}
	for _, name := range names {
		_, tenant, ok := contract.ParseWorkConsumer(name)
		if !ok || tenant == contract.DefaultTenant {
			continue
		}
		if err := do(contract.WorkStream(service), name); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
			return err // one that is gone had no jobs
		}
	}
	return nil
}
