package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/seed-649d3d38/heddle/contract"
)

const (
	// pauseFor is how long a service is paused if nobody resumes it: the broker wants an
	// end.
	pauseFor = 10 * 365 * 24 * time.Hour

	// consumersAtOnce is the number of consumers that are asked for or changed at once.
	consumersAtOnce = 16

	// resumedWithin bounds the wait until all nodes of a cluster know that a consumer was
	// resumed, and lookResumed is how often that is looked at.
	resumedWithin = 2 * time.Second
	lookResumed   = 20 * time.Millisecond
)

// Pause has no more jobs of the service given to instances until [Store.Resume], also after
// restarts. Jobs are taken in, and those in the hands of an instance go on.
//
// It returns a [*contract.Error] with [contract.CodeUnavailable] if the broker does not
// answer; some of the service's jobs may be paused then.
func (s *Store) Pause(ctx context.Context, service string) error {
	return s.pauseUntil(ctx, service, time.Now().Add(pauseFor))
}

// Resume has the jobs of a service given to instances again, at once; of one that is not
// paused it changes nothing. Its errors are those of [Store.Pause].
func (s *Store) Resume(ctx context.Context, service string) error {
	return s.pauseUntil(ctx, service, time.Time{})
}

// leading is the consumer whose pause is that of its service: the others follow it, and
// those that are made later too ([Store.makeTenant]). There is one for each service as long as it has jobs, so
// nothing else need be kept.
var leading = contract.WorkConsumer(contract.ClassNormal, contract.DefaultTenant)

// pauseUntil pauses all consumers of a service until a time, or resumes them if it is zero.
func (s *Store) pauseUntil(ctx context.Context, service string, until time.Time) error {
	if err := s.Prepare(ctx, service); err != nil {
		return err
	}
	// Those of the default tenant go first: from then on the others that are made follow them.
	for _, class := range []contract.JobClass{contract.ClassNormal, contract.ClassHigh} {
		if err := s.pauseConsumer(ctx, service, contract.WorkConsumer(class, contract.DefaultTenant), until); err != nil {
			return unavailable(err)
		}
	}
	consumers, err := s.consumers(ctx, service)
	if err != nil {
		return unavailable(err)
	}
	changing, ctx := errgroup.WithContext(ctx)
	changing.SetLimit(consumersAtOnce)
	for _, c := range consumers {
		if _, tenant, ok := contract.ParseWorkConsumer(c.Name); ok && tenant != contract.DefaultTenant {
			changing.Go(func() error { return s.pauseConsumer(ctx, service, c.Name, until) })
		}
	}
	return unavailableUnless(changing.Wait())
}

// unavailableUnless is [unavailable] for what may be no error.
func unavailableUnless(err error) error {
	if err == nil {
		return nil
	}
	return unavailable(err)
}

// pauseConsumer pauses a consumer until a time, or resumes it if that is zero.
func (s *Store) pauseConsumer(ctx context.Context, service, consumer string, until time.Time) error {
	if until.IsZero() {
		return s.resumeConsumer(ctx, service, consumer)
	}
	_, err := s.js.PauseConsumer(ctx, contract.WorkStream(service), consumer, until)
	if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return fmt.Errorf("pause jobs of %s: consumer %s: %w", service, consumer, err)
	}
	return nil
}

// resumeConsumer resumes a consumer and has the broker answer the requests for work that it
// holds. A consumer that was resumed does not look at them before something happens to it
// (server 2.15.2): a message comes, or a request. So one is made, for no more than a byte,
// which no message is as short as: the broker looks, gives the messages to those who asked
// before, and refuses this one.
func (s *Store) resumeConsumer(ctx context.Context, service, consumer string) error {
	_, err := s.js.ResumeConsumer(ctx, contract.WorkStream(service), consumer)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil
	}
	if err == nil {
		err = s.awaitResumed(ctx, service, consumer)
	}
	if err == nil {
		err = s.nc.PublishRequest("$JS.API.CONSUMER.MSG.NEXT."+contract.WorkStream(service)+"."+consumer, s.nc.NewInbox(),
			[]byte(`{"batch":1,"expires":1000000000,"max_bytes":1}`))
	}
	if err != nil {
		return fmt.Errorf("resume jobs of %s: consumer %s: %w", service, consumer, err)
	}
	return nil
}

// awaitResumed waits until the node that leads a consumer knows that it was resumed. In a
// cluster another one answers the request for that.
func (s *Store) awaitResumed(ctx context.Context, service, consumer string) error {
	ctx, cancel := context.WithTimeout(ctx, resumedWithin)
	defer cancel()
	look := time.NewTicker(lookResumed)
	defer look.Stop()
	for {
		c, err := s.js.Consumer(ctx, contract.WorkStream(service), consumer)
		if err != nil {
			return err
		}
		if !c.CachedInfo().Paused {
			return nil
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return nats.ErrTimeout
		}
	}
}

// consumers returns what the broker says of all consumers of a service, none if there is
// no stream.
func (s *Store) consumers(ctx context.Context, service string) ([]*jetstream.ConsumerInfo, error) {
	stream, err := s.js.Stream(ctx, contract.WorkStream(service))
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return listConsumers(ctx, stream)
}

// listConsumers lists the consumers of a stream.
func listConsumers(ctx context.Context, stream jetstream.Stream) (all []*jetstream.ConsumerInfo, err error) {
	list := stream.ListConsumers(ctx)
	for info := range list.Info() {
		all = append(all, info)
	}
	if err := list.Err(); err != nil {
		return nil, fmt.Errorf("list consumers of %s: %w", stream.CachedInfo().Config.Name, err)
	}
	return all, nil
}

// pausedUntil returns until when a consumer is paused, zero if it is not.
func pausedUntil(info *jetstream.ConsumerInfo) time.Time {
	if !info.Paused || info.Config.PauseUntil == nil {
		return time.Time{}
	}
	return info.Config.PauseUntil.UTC()
}
