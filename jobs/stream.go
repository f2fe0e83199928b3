package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
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

// Stream is a stream that jobs need at the broker, with its durable consumers.
type Stream struct {
	jetstream.StreamConfig
	Consumers []jetstream.ConsumerConfig
	// Initial names settings that count only when the stream is made, by their names in
	// the broker's JSON, such as num_replicas.
	Initial []string
}

// PlanRevision numbers the settings that [Plan] asks for. Whoever changes them raises it,
// so that an older release does not undo what a newer one has set.
const PlanRevision = 1

// Plan returns all that has to be at the broker for the jobs of the services: the one list
// of it. What is not set in a stream or a consumer, nor in cfg, is left as it is where that
// is there already.
func Plan(cfg Config, services ...string) []Stream {
	return append(needed(cfg, services...), cfg.complete(schedules()), cfg.complete(keeping()), cfg.complete(advisories()))
}

// needed returns the part of the plan without which there are no jobs. The others are made
// by those who serve jobs.
func needed(cfg Config, services ...string) []Stream {
	plan := []Stream{cfg.complete(records()), cfg.complete(results()), cfg.complete(ended())}
	for _, service := range services {
		plan = append(plan, cfg.complete(work(cfg, service)))
	}
	return plan
}

// complete adds to a stream what all have in common.
func (c Config) complete(s Stream) Stream {
	s.Metadata, s.Replicas = map[string]string{revisionKey: strconv.Itoa(PlanRevision)}, max(c.Replicas, 1)
	if c.Replicas <= 0 {
		s.Initial = append(s.Initial, "num_replicas")
	}
	return s
}

// revisionKey is where the metadata of a stream has the [PlanRevision] of who made or
// changed it last.
const revisionKey = "heddle.plan"

// records is the bucket of what is known of jobs.
func records() Stream {
	b := bucket(contract.JobBucket, "Jobs: what is known of them")
	b.RePublish = &jetstream.RePublish{
		Source:      contract.JobRef{Tenant: "*", Service: "*", Operation: "*", Token: "*"}.RecordSubject(),
		Destination: contract.JobRef{Tenant: "$1", Service: "$2", Operation: "$3", Token: "$4"}.EventSubject(),
	}
	return b
}

// results is the bucket of long results.
func results() Stream {
	return bucket(contract.ResultBucket, "Results of jobs that are too large for a record")
}

// ended is the bucket that finds what ended without success.
func ended() Stream {
	return bucket(contract.EndedBucket, "Hints to jobs that failed or were canceled")
}

// bucket describes a key-value bucket whose entries may expire one by one. It has the form
// that every tool knows, which the client's own function makes only with markers for what
// expires, and nobody needs those.
func bucket(name, description string) Stream {
	return Stream{StreamConfig: jetstream.StreamConfig{
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
		Duplicates:        repeats,
	}}
}

// work is the work stream of a service, with the consumers of the default tenant.
func work(cfg Config, service string) Stream {
	s := Stream{StreamConfig: jetstream.StreamConfig{
		Name:                 contract.WorkStream(service),
		Description:          "Jobs of " + service + " that are queued or running",
		Subjects:             []string{contract.WorkSubjects("*", service, "*") + "*.*"},
		Retention:            jetstream.WorkQueuePolicy,
		Storage:              jetstream.FileStorage,
		Discard:              jetstream.DiscardNew,
		DiscardNewPerSubject: true,
		MaxMsgsPerSubject:    1,
		MaxMsgs:              int64(cmp.Or(cfg.Queue, DefaultQueue)),
		AllowDirect:          true,
		AllowAtomicPublish:   true,
		Duplicates:           repeats,
	}}
	s.MaxBytes = cmp.Or(cfg.QueueBytes, s.MaxMsgs*bytesPerJob)
	if cfg.Queue == 0 {
		s.Initial = append(s.Initial, "max_msgs")
	}
	if cfg.Queue == 0 && cfg.QueueBytes == 0 {
		s.Initial = append(s.Initial, "max_bytes")
	}
	for _, class := range contract.JobClasses() {
		s.Consumers = append(s.Consumers, workConsumer(service, class, contract.DefaultTenant))
	}
	return s
}

// workConsumer is the consumer of a tenant's jobs of one class.
func workConsumer(service string, class contract.JobClass, tenant string) jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable:       contract.WorkConsumer(class, tenant),
		FilterSubject: contract.WorkSubjects(tenant, service, class) + "*.*",
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       lease,
		MaxDeliver:    -1, // attempts are counted in the record
		MaxAckPending: -1, // jobs that wait for another attempt must not hold up others
		MaxWaiting:    maxAsking,
	}
}

// makeStream makes a stream and its consumers unless they are there. Those with other settings,
// of another release or by an operator's choice, are left as they are.
func (s *Store) makeStream(ctx context.Context, stream Stream) error {
	_, err := s.js.CreateStream(ctx, stream.StreamConfig)
	if err != nil && !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return fmt.Errorf("make stream %s: %w", stream.Name, err)
	}
	for _, c := range stream.Consumers {
		if err := s.makeConsumer(ctx, stream.Name, c); err != nil {
			return err
		}
	}
	return nil
}

// makeConsumer makes a consumer of a stream unless it is there.
func (s *Store) makeConsumer(ctx context.Context, stream string, c jetstream.ConsumerConfig) error {
	_, err := s.js.CreateConsumer(ctx, stream, c)
	if err != nil && !errors.Is(err, jetstream.ErrConsumerExists) {
		return fmt.Errorf("make consumer %s of %s: %w", c.Durable, stream, err)
	}
	return nil
}
