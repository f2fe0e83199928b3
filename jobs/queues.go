package jobs

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/seed-649d3d38/heddle/contract"
)

// Queues returns what there is of the jobs of each of the services that have not ended, in
// the order of the services. It asks the broker a few questions for each consumer, however
// many jobs there are.
//
// It returns a [*contract.Error] with [contract.CodeUnavailable] if the broker does not
// answer.
func (s *Store) Queues(ctx context.Context, services ...string) (contract.JobQueues, error) {
	all := contract.JobQueues{Queues: make([]contract.JobQueue, len(services))}
	for i, service := range services {
		var err error
		if all.Queues[i], err = s.Queue(ctx, service); err != nil {
			return contract.JobQueues{}, err
		}
	}
	return all, nil
}

// Queue returns what there is of the jobs of a service that have not ended. A service that
// never had jobs has an empty queue. Its errors are those of [Store.Queues].
func (s *Store) Queue(ctx context.Context, service string) (contract.JobQueue, error) {
	q := contract.JobQueue{Service: service, Limit: int64(cmp.Or(s.cfg.Queue, DefaultQueue)), Shares: []contract.JobShare{}}
	stream, err := s.js.Stream(ctx, contract.WorkStream(service))
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return q, nil
	}
	if err != nil {
		return q, unavailable(err)
	}
	consumers, err := listConsumers(ctx, stream)
	if err != nil {
		return q, unavailable(err)
	}
	info := stream.CachedInfo()
	q.Queued, q.Limit = int64(info.State.Msgs), info.Config.MaxMsgs
	if err := s.addShares(ctx, &q, consumers); err != nil {
		return q, unavailable(err)
	}
	u, err := s.readUpkeep(ctx, upkeepKey(service))
	if err != nil {
		return q, unavailable(err)
	}
	q.Healed = u.Healed
	return q, nil
}

// addShares adds the shares of a queue, one for each consumer, and what follows from them.
func (s *Store) addShares(ctx context.Context, q *contract.JobQueue, consumers []*jetstream.ConsumerInfo) error {
	q.Shares = make([]contract.JobShare, len(consumers))
	asking, ctx := errgroup.WithContext(ctx)
	asking.SetLimit(consumersAtOnce)
	for i, c := range consumers {
		share := &q.Shares[i]
		class, tenant, ok := contract.ParseWorkConsumer(c.Name)
		if !ok { // made by hand
			class, tenant = "", c.Name
		}
		*share = contract.JobShare{Tenant: tenant, Class: class, Queued: int64(c.NumPending), Taken: int64(c.NumAckPending)}
		q.Taken += share.Taken
		if c.Name == leading {
			q.PausedUntil = pausedUntil(c)
		}
		if share.Queued > 0 {
			asking.Go(func() (err error) {
				share.Oldest, err = s.oldest(ctx, q.Service, c)
				return err
			})
		}
	}
	if err := asking.Wait(); err != nil {
		return err
	}
	// The stream counts those too for which there is no consumer yet.
	q.Queued = max(q.Queued-q.Taken, 0)
	for _, share := range q.Shares {
		if !share.Oldest.IsZero() && (q.Oldest.IsZero() || share.Oldest.Before(q.Oldest)) {
			q.Oldest = share.Oldest
		}
	}
	classes := contract.JobClasses()
	slices.SortFunc(q.Shares, func(a, b contract.JobShare) int {
		if d := slices.Index(classes, a.Class) - slices.Index(classes, b.Class); d != 0 {
			return d
		}
		return strings.Compare(a.Tenant, b.Tenant)
	})
	return nil
}

// oldest returns when the first message was queued that a consumer has not given to an
// instance yet, zero if there is none.
func (s *Store) oldest(ctx context.Context, service string, c *jetstream.ConsumerInfo) (time.Time, error) {
	m, err := s.ask(ctx, contract.WorkStream(service), getRequest{Seq: c.Delivered.Stream + 1, NextBy: c.Config.FilterSubject})
	if err != nil || m == nil {
		return time.Time{}, err
	}
	_, at, err := stored(m)
	return at.UTC().Truncate(time.Microsecond), err
}
