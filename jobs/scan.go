package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/nats-io/nats.go"
	"golang.org/x/sync/errgroup"

	"github.com/seed-649d3d38/heddle/contract"
)

const (
	// scanParts is the number of parts of a range that are scanned at once.
	scanParts = 64

	// scanBytes bounds what the broker sends at once of many records.
	scanBytes = 4 << 20

	// subjectsAtOnce is the number of subjects whose last messages are asked for at once;
	// the broker takes no more than 1024.
	subjectsAtOnce = 512
)

// getRequest asks a stream for messages, as the broker takes it (ADR-31).
type getRequest struct {
	Seq      uint64   `json:"seq,omitempty"`
	NextBy   string   `json:"next_by_subj,omitempty"`
	Batch    int      `json:"batch,omitempty"`
	LastBy   string   `json:"last_by_subj,omitempty"`
	LastOf   []string `json:"multi_last,omitempty"`
	MaxBytes int      `json:"max_bytes,omitempty"`
}

// statusEnd is the status of the message after the last one of a batch.
const statusEnd = "204"

// batch calls each with the messages of a request for many and reports whether there are
// more for the same request from a later sequence on. The subject of each message is the
// one it is stored under.
func (s *Store) batch(ctx context.Context, stream string, r getRequest, each func(sequence uint64, m *nats.Msg)) (more bool, err error) {
	if r.MaxBytes == 0 {
		r.MaxBytes = scanBytes
	}
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
		each(sequence, m)
	}
}

// scan returns the messages of a stream with sequences in [from, to) whose subjects the
// filter matches, in the order of the sequences.
//
// It hops from one to the next in some parts of the range at once. To ask for a batch would
// be fewer requests, but for each the broker counts what is left, by looking at every
// subject of the stream: 100 ms where there are 100,000 (server 2.15.2).
func (s *Store) scan(ctx context.Context, stream, filter string, from, to uint64) ([]*nats.Msg, error) {
	first, err := s.hop(ctx, stream, filter, from, to)
	if err != nil || first == nil {
		return nil, err
	}
	from, _, err = stored(first)
	if err != nil {
		return nil, err
	}
	from++
	part := (to-from)/scanParts + 1
	found := make([][]*nats.Msg, scanParts)
	hopping, ctx := errgroup.WithContext(ctx)
	for i := range uint64(scanParts) {
		low, high := min(from+i*part, to), min(from+(i+1)*part, to)
		hopping.Go(func() error {
			for low < high {
				m, err := s.hop(ctx, stream, filter, low, high)
				if err != nil || m == nil {
					return err
				}
				found[i] = append(found[i], m)
				sequence, _, err := stored(m)
				if err != nil {
					return err
				}
				low = sequence + 1
			}
			return nil
		})
	}
	if err := hopping.Wait(); err != nil {
		return nil, err
	}
	return append([]*nats.Msg{first}, slices.Concat(found...)...), nil
}

// hop returns the first message of a stream with a sequence in [from, to) whose subject the
// filter matches, nil if there is none. Its subject is the one it is stored under.
func (s *Store) hop(ctx context.Context, stream, filter string, from, to uint64) (*nats.Msg, error) {
	m, err := s.ask(ctx, stream, getRequest{Seq: from, NextBy: filter})
	if err != nil || m == nil {
		return nil, err
	}
	sequence, _, err := stored(m)
	if err != nil || sequence >= to {
		return nil, err
	}
	m.Subject = m.Header.Get("Nats-Subject")
	return m, nil
}

// ask asks a stream for one message, nil if it is not there.
func (s *Store) ask(ctx context.Context, stream string, r getRequest) (*nats.Msg, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", stream, err)
	}
	return s.readDirect(ctx, stream, &nats.Msg{Subject: directGet + stream, Data: body})
}

// lastSequence returns the sequence of the last message of a stream, 0 if there is none.
func (s *Store) lastSequence(ctx context.Context, stream string) (uint64, error) {
	m, err := s.ask(ctx, stream, getRequest{LastBy: ">"})
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
		var r getRequest
		for _, ref := range some {
			r.LastOf = append(r.LastOf, ref.RecordSubject())
		}
		for more := true; more; {
			var err error
			more, err = s.batch(ctx, recordStream, r, func(sequence uint64, m *nats.Msg) {
				r.Seq = sequence + 1
				if ref, record := s.readScanned(ctx, m); record != nil {
					all[ref] = record
				}
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
