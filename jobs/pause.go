package jobs

import (
	"context"
	"fmt"
	"time"

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
	for _, class := range contract.JobClasses() {
		_, err := s.js.PauseConsumer(ctx, contract.WorkStream(service), contract.WorkConsumer(class, contract.DefaultTenant), until)
		if err != nil {
			return unavailable(fmt.Errorf("pause jobs of %s: %w", service, err))
		}
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
	for _, class := range contract.JobClasses() {
		_, err := s.js.ResumeConsumer(ctx, contract.WorkStream(service), contract.WorkConsumer(class, contract.DefaultTenant))
		if err != nil {
			return unavailable(fmt.Errorf("resume jobs of %s: %w", service, err))
		}
	}
	return nil
}
