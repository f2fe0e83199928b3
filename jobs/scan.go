package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
)

const (
	// scanBytes bounds what the broker sends at once of a scan.
	scanBytes = 4 << 20

	// scanBatch bounds the messages that the broker sends at once of a scan.
	scanBatch = 4096

	// subjectsAtOnce is the number of subjects whose last messages are asked for at once;
	// the broker takes no more than 1024.
	subjectsAtOnce = 512
)

// batchRequest asks a stream for many messages at once, as the broker takes it
// (ADR-31, "JetStream Direct Batch Gets").
type batchRequest struct {
	Seq      uint64   `json:"seq,omitempty"`
	NextBy   string   `json:"next_by_subj,omitempty"`
	LastOf   []string `json:"multi_last,omitempty"`
	Batch    int      `json:"batch,omitempty"`
	MaxBytes int      `json:"max_bytes"`
}

// statusEnd is the status of the message after the last one of a batch.
const statusEnd = "204"

// batch calls each with the messages of the batch until it returns false, and reports
// whether there are more for the same request from a later sequence on. The subject of
// each message is the one it is stored under.
func (s *Store) batch(ctx context.Context, stream string, r batchRequest, each func(sequence uint64, m *nats.Msg) bool) (more bool, err error) {
	r.MaxBytes = scanBytes
	body, err := json.Marshal(r)
	if err != nil {
		return false, fmt.Errorf("read %s: %w", stream, err)
	}
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	inbox := s.nc.NewInbox()
	sub, err := s.nc.SubscribeSync(inbox)
	if err != nil {
		return false, fmt.Errorf("read %s: %w", stream, err)
	}
	defer func() { _ = sub.Unsubscribe() }() // fails only on a closed connection
	if err := s.nc.PublishRequest(directGet+stream, inbox, body); err != nil {
		return false, fmt.Errorf("read %s: %w", stream, err)
	}
	for {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return false, fmt.Errorf("read %s: %w", stream, err)
		}
		switch status := m.Header.Get("Status"); status {
		case "":
		case statusEnd:
			return m.Header.Get("Nats-Num-Pending") != "0", nil
		case strconv.Itoa(http.StatusNotFound):
			return false, nil
		default:
			return false, contract.Errorf(contract.CodeUnavailable, "the broker cannot read %s: %s %s", stream, status, m.Header.Get("Description"))
		}
		sequence, _, err := stored(m)
		if err != nil {
			return false, err
		}
		m.Subject = m.Header.Get("Nats-Subject")
		if !each(sequence, m) {
			return false, nil
		}
	}
}

// scan returns the messages of a stream with sequences in [from, to) whose subjects the
// filter matches, in the order of the sequences.
func (s *Store) scan(ctx context.Context, stream, filter string, from, to uint64) (all []*nats.Msg, err error) {
	for more := true; more && from < to; {
		r := batchRequest{Seq: from, NextBy: filter, Batch: int(min(to-from, scanBatch))}
		more, err = s.batch(ctx, stream, r, func(sequence uint64, m *nats.Msg) bool {
			from = sequence + 1
			if sequence < to {
				all = append(all, m)
			}
			return from < to
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// lastSequence returns the sequence of the last message of a stream whose subject the
// filter matches, 0 if there is none.
func (s *Store) lastSequence(ctx context.Context, stream, filter string) (uint64, error) {
	body, err := json.Marshal(map[string]string{"last_by_subj": filter})
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", stream, err)
	}
	m, err := s.readDirect(ctx, stream, &nats.Msg{Subject: directGet + stream, Data: body})
	if isNoResponders(err) || err == nil && m == nil {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	sequence, _, err := stored(m)
	return sequence, err
}

// recordsOf returns the records of the jobs, without those that have none.
func (s *Store) recordsOf(ctx context.Context, refs []contract.JobRef) (map[contract.JobRef]*record, error) {
	all := make(map[contract.JobRef]*record, len(refs))
	for some := range slices.Chunk(refs, subjectsAtOnce) {
		var r batchRequest
		for _, ref := range some {
			r.LastOf = append(r.LastOf, ref.RecordSubject())
		}
		for more := true; more; {
			var err error
			more, err = s.batch(ctx, recordStream, r, func(sequence uint64, m *nats.Msg) bool {
				r.Seq = sequence + 1
				if ref, record := s.readScanned(ctx, m); record != nil {
					all[ref] = record
				}
				return true
			})
			if isNoResponders(err) {
				return all, nil
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// recordStream is the stream of the bucket of records.
const recordStream = "KV_" + contract.JobBucket

// readScanned reads a record that was found by its subject, nil if it is none.
func (s *Store) readScanned(ctx context.Context, m *nats.Msg) (contract.JobRef, *record) {
	ref, ok := contract.ParseRecordSubject(m.Subject)
	if !ok {
		return ref, nil
	}
	r, err := parseRecord(m)
	if err != nil { // nobody of ours writes such a record
		s.cfg.Log.WarnContext(ctx, "record is none of a job", "subject", m.Subject, "error", err)
		return ref, nil
	}
	return ref, r
}
