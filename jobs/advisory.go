package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/contract"
)

// advisoriesAtOnce is the number of advisories that are looked at at once.
const advisoriesAtOnce = 256

// advisoryConsumer is the consumer that all share who look after the queues.
const advisoryConsumer = "upkeep"

// deletedReason is the reason that the broker gives when it terminates a message because it
// was deleted. Jobs that are canceled while they run have theirs deleted.
const deletedReason = "Unacknowledged message was deleted"

// advisories is the stream of what JetStream gave up. It takes the advisories of all
// streams, since their names have no common first token; each consumer may have so many of
// them, so that those of others leave room.
func advisories() Stream {
	return Stream{
		StreamConfig: jetstream.StreamConfig{
			Name:              contract.AdvisoryStream,
			Description:       "Messages that JetStream gave up; jobs among them are ended",
			Subjects:          []string{contract.MaxDeliveriesSubjects, contract.TerminatedSubjects},
			Retention:         jetstream.WorkQueuePolicy,
			Storage:           jetstream.FileStorage,
			Discard:           jetstream.DiscardOld,
			MaxAge:            7 * 24 * time.Hour,
			MaxMsgsPerSubject: 4096,
			MaxBytes:          16 << 20,
		},
		Consumers: []jetstream.ConsumerConfig{{
			Durable: advisoryConsumer, AckPolicy: jetstream.AckExplicitPolicy, AckWait: passTimeout, MaxDeliver: -1,
		}},
	}
}

// advisory is what JetStream says of a message that it gave up.
type advisory struct {
	Stream     string `json:"stream"`
	Consumer   string `json:"consumer"`
	Sequence   uint64 `json:"stream_seq"`
	Deliveries uint64 `json:"deliveries"`
	Reason     string `json:"reason"`
}

// healAdvisories ends the jobs whose messages JetStream gave up.
func (s *Store) healAdvisories(ctx context.Context) error {
	c, err := s.js.Consumer(ctx, contract.AdvisoryStream, advisoryConsumer)
	if err != nil {
		return fmt.Errorf("read %s: %w", contract.AdvisoryStream, err)
	}
	t := make(tally)
	for {
		n, err := s.healSomeAdvisories(ctx, c, t)
		if err != nil || n < advisoriesAtOnce {
			return errors.Join(err, s.count(ctx, t))
		}
	}
}

// healSomeAdvisories looks at some advisories and returns their number.
func (s *Store) healSomeAdvisories(ctx context.Context, c jetstream.Consumer, t tally) (n int, err error) {
	batch, err := c.FetchNoWait(advisoriesAtOnce)
	if err != nil {
		return 0, err
	}
	for m := range batch.Messages() {
		n++
		if err := s.healAdvisory(ctx, m, t); err != nil {
			return n, err // it comes again
		}
		if err := m.Ack(); err != nil {
			return n, err
		}
	}
	return n, batch.Error()
}

// healAdvisory ends the job of an advisory, if it is of one.
func (s *Store) healAdvisory(ctx context.Context, m jetstream.Msg, t tally) error {
	var a advisory
	if err := json.Unmarshal(m.Data(), &a); err != nil {
		s.cfg.Log.WarnContext(ctx, "advisory cannot be read", "subject", m.Subject(), "error", err)
		return nil
	}
	service, ok := strings.CutPrefix(a.Stream, contract.WorkStream(""))
	if !ok {
		return nil // of a stream of others
	}
	if strings.HasPrefix(m.Subject(), strings.TrimSuffix(contract.TerminatedSubjects, ">")) {
		if a.Reason != deletedReason {
			s.cfg.Log.WarnContext(ctx, "somebody terminated the message of a job", "service", service, "consumer", a.Consumer, "sequence", a.Sequence, "reason", a.Reason)
			t.add(service, contract.HealTerminated)
		}
		return nil
	}
	return s.healUndelivered(ctx, a, t)
}

// healUndelivered ends the job of a message that is still there and is not delivered any
// more.
func (s *Store) healUndelivered(ctx context.Context, a advisory, t tally) error {
	m, err := s.ask(ctx, a.Stream, getRequest{Seq: a.Sequence})
	if err != nil || m == nil {
		return err // without the message the job has ended, or is found as lost
	}
	m.Subject = m.Header.Get("Nats-Subject")
	ref, _, ok := contract.ParseWorkSubject(m.Subject)
	if !ok {
		return nil
	}
	f := found{ref: ref, message: m}
	if f.record, err = s.readRecord(ctx, ref); err != nil {
		return err
	}
	if f.record.State.Terminal() {
		_, err := s.deleteRead(ctx, ref.Service, m)
		return err
	}
	why := contract.Errorf(contract.CodeUnavailable, "the broker delivered the job %d times and gave it up; the consumer %s of %s has a limit that it should not have", a.Deliveries, a.Consumer, a.Stream)
	return s.giveUp(ctx, f, contract.HealUndelivered, why, t)
}
