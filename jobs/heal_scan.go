package jobs

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/contract"
)

// openRecords looks at some records from a sequence on and returns the jobs that had not
// ended for a while, by service, and the sequence to go on with.
//
// A consumer without the bodies, which may hold results, is the cheapest way: it is made,
// sends everything at once and is deleted again.
func (s *Store) openRecords(ctx context.Context, from uint64) (open map[string][]contract.JobRef, next uint64, err error) {
	c, err := s.js.CreateConsumer(ctx, recordStream, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: max(from, 1),
		AckPolicy: jetstream.AckNonePolicy, HeadersOnly: true, MemoryStorage: true, Replicas: 1, InactiveThreshold: passTimeout,
	})
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, from, err
	}
	defer func() { // the broker deletes it, too, after a while
		_ = s.js.DeleteConsumer(context.WithoutCancel(ctx), recordStream, c.CachedInfo().Name)
	}()
	batch, err := c.FetchNoWait(sweepAtOnce)
	if err != nil {
		return nil, from, err
	}
	open = make(map[string][]contract.JobRef)
	for m := range batch.Messages() {
		meta, err := m.Metadata()
		if err != nil {
			return nil, from, err
		}
		if next = meta.Sequence.Stream + 1; meta.NumPending == 0 {
			next = 0 // from the beginning
		}
		state := contract.JobState(m.Headers().Get(contract.HeaderState))
		ref, ok := contract.ParseRecordSubject(m.Subject())
		if ok && (state == contract.JobQueued || state == contract.JobRunning) && time.Since(meta.Timestamp) >= s.settled {
			open[ref.Service] = append(open[ref.Service], ref)
		}
	}
	return open, next, batch.Error()
}

// queuedOf reports which jobs of a service have a message in its work stream.
func (s *Store) queuedOf(ctx context.Context, service string, refs []contract.JobRef) (map[contract.JobRef]bool, error) {
	all := make(map[contract.JobRef]bool, len(refs))
	for some := range slices.Chunk(refs, subjectsAtOnce/2) {
		var r getRequest
		for _, ref := range some {
			for _, class := range contract.JobClasses() {
				r.LastOf = append(r.LastOf, ref.WorkSubject(class))
			}
		}
		for more := true; more; {
			var err error
			more, err = s.batch(ctx, contract.WorkStream(service), r, func(sequence uint64, m *nats.Msg) {
				r.Seq = sequence + 1
				if ref, _, ok := contract.ParseWorkSubject(m.Subject); ok {
					all[ref] = true
				}
			})
			if isNoResponders(err) {
				return all, nil // the stream was deleted by hand
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}
