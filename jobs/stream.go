package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/contract"
)

const (
	// DefaultQueue is the number of jobs of one service that may be queued when [Config]
	// names none: about 40 MB of broker memory.
	DefaultQueue = 100_000

	// bytesPerJob bounds the work stream of a service: so many bytes for each job that
	// it has room for, on average.
	bytesPerJob = 16 << 10

	// lease is how long an instance may be silent before its jobs are given to others.
	// A third of it passes between two signs of life.
	lease = 1500 * time.Millisecond

	// repeats is how long the broker recognizes a submission that is sent again.
	repeats = 2 * time.Minute

	// maxAsking is the number of requests for work that the broker keeps for one
	// consumer.
	maxAsking = 16384
)

// makeShared makes the buckets that all services share, unless they are there. Buckets
// with other settings, such as more replicas, are left as they are.
func (s *Store) makeShared(ctx context.Context) error {
	records := bucket(contract.JobBucket, "Jobs: what is known of them", s.cfg.Replicas)
	records.RePublish = &jetstream.RePublish{
		Source:      contract.JobRef{Tenant: "*", Service: "*", Operation: "*", Token: "*"}.RecordSubject(),
		Destination: contract.JobRef{Tenant: "$1", Service: "$2", Operation: "$3", Token: "$4"}.EventSubject(),
	}
	results := bucket(contract.ResultBucket, "Results of jobs that are too large for a record", s.cfg.Replicas)
	ended := bucket(contract.EndedBucket, "Hints to jobs that failed or were canceled", s.cfg.Replicas)
	for _, c := range []jetstream.StreamConfig{records, results, ended} {
		if err := s.makeStream(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// bucket describes a key-value bucket whose entries may expire one by one. It has the form
// that every tool knows, which the client's own function makes only with markers for what
// expires, and nobody needs those.
func bucket(name, description string, replicas int) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:              "KV_" + name,
		Description:       description,
		Subjects:          []string{"$KV." + name + ".>"},
		Storage:           jetstream.FileStorage,
		Discard:           jetstream.DiscardNew,
		MaxMsgsPerSubject: 1,
		DenyDelete:        true,
		AllowRollup:       true,
		AllowDirect:       true,
		AllowMsgTTL:       true,
		Replicas:          replicas,
		Duplicates:        repeats,
	}
}

// makeWork makes the work stream of a service and the consumers of the default tenant,
// unless they are there.
func (s *Store) makeWork(ctx context.Context, service string) error {
	err := s.makeStream(ctx, jetstream.StreamConfig{
		Name:                 contract.WorkStream(service),
		Description:          "Jobs of " + service + " that are queued or running",
		Subjects:             []string{contract.WorkSubjects("*", service, "*") + "*.*"},
		Retention:            jetstream.WorkQueuePolicy,
		Storage:              jetstream.FileStorage,
		Discard:              jetstream.DiscardNew,
		DiscardNewPerSubject: true,
		MaxMsgsPerSubject:    1,
		MaxMsgs:              int64(s.cfg.Queue),
		MaxBytes:             int64(s.cfg.Queue) * bytesPerJob,
		AllowDirect:          true,
		AllowAtomicPublish:   true,
		Replicas:             s.cfg.Replicas,
		Duplicates:           repeats,
	})
	if err != nil {
		return err
	}
	for _, class := range contract.JobClasses() {
		if err := s.makeConsumer(ctx, service, class, contract.DefaultTenant); err != nil {
			return err
		}
	}
	return nil
}

// makeStream makes a stream unless there is one of its name.
func (s *Store) makeStream(ctx context.Context, c jetstream.StreamConfig) error {
	_, err := s.js.CreateStream(ctx, c)
	if err != nil && !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return fmt.Errorf("make stream %s: %w", c.Name, err)
	}
	return nil
}

// makeConsumer makes the consumer of a tenant's jobs of one class unless it is there.
func (s *Store) makeConsumer(ctx context.Context, service string, class contract.JobClass, tenant string) error {
	c := jetstream.ConsumerConfig{
		Durable:       contract.WorkConsumer(class, tenant),
		FilterSubject: contract.WorkSubjects(tenant, service, class) + "*.*",
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       lease,
		MaxDeliver:    -1, // attempts are counted in the record
		MaxAckPending: -1, // jobs that wait for another attempt must not hold up others
		MaxWaiting:    maxAsking,
	}
	if tenant != contract.DefaultTenant {
		c.InactiveThreshold = s.idle
	}
	_, err := s.js.CreateConsumer(ctx, contract.WorkStream(service), c)
	if err != nil && !errors.Is(err, jetstream.ErrConsumerExists) {
		return fmt.Errorf("make consumer %s of %s: %w", c.Durable, contract.WorkStream(service), err)
	}
	return nil
}
