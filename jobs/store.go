package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/bus"
)

// apiTimeout bounds one exchange with JetStream.
const apiTimeout = 5 * time.Second

// Config says how jobs are kept. The zero value is usable.
type Config struct {
	// Queue is the number of jobs of each service that may be queued. 0 means
	// [DefaultQueue] where the stream of the service is made, and otherwise what it has.
	Queue int
	// Schedules is the number of schedules that a tenant may have; 0 means
	// [DefaultSchedules].
	Schedules int
	// QueueBytes is the size in bytes that the queued jobs of each service may have in
	// all, and what the broker sets apart for them. 0 means 16 KiB for each job of Queue.
	QueueBytes int64
	// Replicas is the number of nodes that keep each stream. 0 means 1 where the streams
	// are made, and otherwise what they have.
	Replicas int
	// Log gets what has no caller to hear it. Nil discards it.
	Log *slog.Logger
	// Meter counts what is put right by who looks after the queues; see [Serve]. Nil means
	// nobody counts.
	Meter metric.Meter
}

// Store is what there is of jobs at a broker. All of it is there: a Store has no state of
// its own but for what it told runners lately, and any number may be open at once. It is
// safe for concurrent use.
type Store struct {
	nc        *nats.Conn
	js        jetstream.JetStream
	requester *bus.Requester
	cfg       Config
	idle      time.Duration // how long consumers without jobs are kept
	told      told
	healed    metric.Int64Counter
	settled   time.Duration // the constant, but for tests
}

// Open returns the jobs of the broker of the connection, which it uses but does not own.
// It asks the broker for nothing.
func Open(nc *nats.Conn, cfg Config) (*Store, error) {
	if cfg.Schedules <= 0 {
		cfg.Schedules = DefaultSchedules
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Meter == nil {
		cfg.Meter = noop.Meter{}
	}
	healed, err := cfg.Meter.Int64Counter("heddle.jobs.healed", metric.WithUnit("{job}"),
		metric.WithDescription("Durable jobs that were found half-written or given up, and put right."))
	if err != nil {
		return nil, fmt.Errorf("open jobs: %w", err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("open jobs: %w", err)
	}
	r, err := bus.NewRequester(nc)
	if err != nil {
		return nil, fmt.Errorf("open jobs: %w", err)
	}
	return &Store{nc: nc, js: js, requester: r, cfg: cfg, idle: consumerIdle, healed: healed, settled: settled}, nil
}

// Close ends the exchanges under way.
func (s *Store) Close() { s.requester.Close() }

// Prepare makes the streams, buckets and consumers for the jobs of the services that are
// not there yet. Those that are there stay as they are. What needs them makes them too, so
// nobody has to call it first.
func (s *Store) Prepare(ctx context.Context, services ...string) error {
	for _, stream := range needed(s.cfg, services...) {
		if err := s.makeStream(ctx, stream); err != nil {
			return unavailable(err)
		}
	}
	return nil
}

// The server's codes for a message that was not stored.
const (
	storeFailed   = 10077 // a bound of the stream, which the description names
	wrongSequence = 10071 // the record has another revision than expected
	noMessage     = 10057 // what was to be deleted is not there
	sameInFlight  = 10164 // the same with replicas: another write is under way
)

// refusedError says that the broker did not store a message.
type refusedError struct {
	code        int
	description string
}

// Error names the reason as the broker gave it.
func (e *refusedError) Error() string {
	return fmt.Sprintf("broker refused to store: %s (%d)", e.description, e.code)
}

// isMoved reports whether a record was not written because it is not what it was.
func isMoved(err error) bool {
	e, ok := errors.AsType[*refusedError](err)
	return ok && (e.code == wrongSequence || e.code == sameInFlight)
}

// isQueued reports whether a job was not queued because it is.
func isQueued(err error) bool {
	e, ok := errors.AsType[*refusedError](err)
	return ok && e.code == storeFailed && strings.Contains(e.description, "per subject")
}

// isFull reports whether a job was not queued because there is no room.
func isFull(err error) bool {
	e, ok := errors.AsType[*refusedError](err)
	return ok && e.code == storeFailed && !strings.Contains(e.description, "per subject")
}

// store publishes a message to a stream and returns its sequence there once the broker has
// stored it.
func (s *Store) store(ctx context.Context, m *nats.Msg) (sequence uint64, repeated bool, err error) {
	reply, err := s.requester.Do(ctx, m, apiTimeout)
	if err != nil {
		return 0, false, err
	}
	var ack struct {
		Seq       uint64 `json:"seq"`
		Duplicate bool   `json:"duplicate"`
		Error     *struct {
			ErrCode     int    `json:"err_code"`
			Description string `json:"description"`
		} `json:"error"`
	}
	if err := json.Unmarshal(reply.Data, &ack); err != nil {
		return 0, false, fmt.Errorf("read acknowledgement of the broker: %w", err)
	}
	if ack.Error != nil {
		return 0, false, &refusedError{ack.Error.ErrCode, ack.Error.Description}
	}
	return ack.Seq, ack.Duplicate, nil
}

// write stores the record after the revision that it has and sets the new one. The hint to
// a job that ends without success comes first, so that there is none such without one.
func (s *Store) write(ctx context.Context, ref contract.JobRef, r *record, ttl time.Duration) error {
	if r.State == contract.JobFailed || r.State == contract.JobCanceled {
		s.hint(ctx, ref, r.State, ttl)
	}
	m, err := r.message(ref, ttl)
	if err != nil {
		return err
	}
	revision, _, err := s.store(ctx, m)
	if err == nil {
		r.revision = revision
	}
	return err
}

// isNoResponders reports whether the broker has no stream that would have answered.
func isNoResponders(err error) bool { return errors.Is(err, nats.ErrNoResponders) }

// unavailable gives the errors of JetStream their code.
func unavailable(err error) error {
	switch {
	case isNoResponders(err), errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return contract.Errorf(contract.CodeUnavailable, "jobs need a broker with JetStream, and this one has none").WithCause(err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout):
		e := contract.Errorf(contract.CodeUnavailable, "the broker did not answer in time; try again")
		e.RetryAfter = time.Second
		return e.WithCause(err)
	}
	if _, ours := errors.AsType[*contract.Error](err); ours {
		return err
	}
	if _, refused := errors.AsType[*refusedError](err); refused {
		e := contract.Errorf(contract.CodeUnavailable, "the broker cannot store the job now; try again")
		e.RetryAfter = time.Second
		return e.WithCause(err)
	}
	return contract.FromError(err)
}
