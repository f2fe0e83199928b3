package jobs

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/contract"
)

// recordKept is how long the record of a job is kept after its result has expired, so that
// people learn that there was one.
const recordKept = 18 * time.Hour

// record is what the bucket holds of a job: the document that everybody may read, and what
// those who work on it need.
type record struct {
	contract.Job
	// Work and Delivery fence the record of a running job: the sequence of its message
	// and how often that had been delivered when the attempt began.
	Work     uint64 `json:"work,omitempty"`
	Delivery uint64 `json:"delivery,omitempty"`
	// Payload tells requests apart: a digest.
	Payload string `json:"payload,omitempty"`
	// Request and Options are what a job that has ended is retried with.
	Request json.RawMessage   `json:"request,omitempty"`
	Options map[string]string `json:"options,omitempty"`
	// Upload tells where the requests of a batch lie that is too large for its message.
	Upload *upload `json:"upload,omitempty"`
	// Lines tell where the lines of a batch lie that there are so far.
	Lines *storedLines `json:"lines,omitempty"`

	revision uint64    // of the bucket; 0 for one that is not there
	written  time.Time // when the broker stored it
}

// payloadDigest returns the digest that tells requests apart.
func payloadDigest(body []byte) string {
	sum := sha256.Sum256(body)
	return base64.RawURLEncoding.EncodeToString(sum[:15])
}

// keep makes the record one that the job can be retried with.
func (r *record) keep(m *nats.Msg) {
	if json.Valid(m.Data) {
		r.Request = m.Data
	}
	r.Options = nil
	if options, err := contract.ParseJobOptions(m.Header.Get); err == nil {
		options.Headers(func(header, value string) {
			if r.Options == nil {
				r.Options = make(map[string]string)
			}
			r.Options[header] = value
		})
	}
}

// retention returns how long results are kept, by what a job that has ended is retried with.
func (r *record) retention() time.Duration {
	options, err := contract.ParseJobOptions(func(header string) string { return r.Options[header] })
	if err != nil {
		options = contract.JobOptions{} // they were not kept for that
	}
	return options.WithDefaults().Retention
}

// message returns the write of the record after the revision that it has now.
func (r *record) message(ref contract.JobRef, ttl time.Duration) (*nats.Msg, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode record of job %s: %w", r.ID, err)
	}
	m := &nats.Msg{Subject: ref.RecordSubject(), Data: body, Header: nats.Header{
		contract.HeaderState:                {string(r.State)},
		jetstream.ExpectedLastSubjSeqHeader: {strconv.FormatUint(r.revision, 10)},
	}}
	if ttl > 0 {
		m.Header[jetstream.MsgTTLHeader] = []string{ttl.Round(time.Second).String()}
	}
	return m, nil
}

// readRecord reads the record of a job. One that is not there has the revision 0.
func (s *Store) readRecord(ctx context.Context, ref contract.JobRef) (*record, error) {
	m, err := s.direct(ctx, recordStream, ref.RecordSubject())
	if err != nil || m == nil {
		return &record{}, err
	}
	r, err := parseRecord(m)
	if err != nil {
		return &record{}, fmt.Errorf("read record of job %s: %w", ref.ID(), err)
	}
	return r, nil
}

// parseRecord reads a stored record. One that was deleted by hand has the revision of the
// deletion and nothing else.
func parseRecord(m *nats.Msg) (*record, error) {
	r := new(record)
	if m.Header.Get("KV-Operation") == "" {
		if err := json.Unmarshal(m.Data, r); err != nil {
			return nil, err
		}
	}
	var err error
	if r.revision, r.written, err = stored(m); err != nil {
		return nil, err
	}
	return r, nil
}

// stored returns the sequence and the time of a message that was read directly.
func stored(m *nats.Msg) (sequence uint64, at time.Time, err error) {
	if sequence, err = strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64); err != nil {
		return 0, at, fmt.Errorf("read stored message: %w", err)
	}
	if at, err = time.Parse(time.RFC3339Nano, m.Header.Get("Nats-Time-Stamp")); err != nil {
		return 0, at, fmt.Errorf("read stored message: %w", err)
	}
	return sequence, at, nil
}

// directGet begins the subjects on which stored messages are asked for.
const directGet = "$JS.API.DIRECT.GET."

// direct reads the last message of a subject, nil if there is none.
func (s *Store) direct(ctx context.Context, stream, subject string) (*nats.Msg, error) {
	return s.readDirect(ctx, stream, &nats.Msg{Subject: directGet + stream + "." + subject})
}

// readDirect asks a stream for one message, nil if it is not there.
func (s *Store) readDirect(ctx context.Context, stream string, request *nats.Msg) (*nats.Msg, error) {
	m, err := s.requester.Do(ctx, request, apiTimeout)
	if err != nil {
		return nil, err
	}
	switch status := m.Header.Get("Status"); status {
	case "":
		return m, nil
	case strconv.Itoa(http.StatusNotFound):
		return nil, nil
	default:
		return nil, contract.Errorf(contract.CodeUnavailable, "the broker cannot read %s: %s %s", stream, status, m.Header.Get("Description"))
	}
}
