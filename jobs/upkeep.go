package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/seed-649d3d38/heddle/contract"
)

const (
	// upkeepEvery is the time between two passes over a queue, whoever makes them.
	upkeepEvery = time.Minute

	// maxUpkeepPause is the longest time until one who could not make a pass tries again.
	maxUpkeepPause = time.Hour

	// passTimeout bounds one pass.
	passTimeout = 30 * time.Second

	// sweepAtOnce is the number of messages or records that one pass looks at. The next one
	// goes on behind them.
	sweepAtOnce = 10_000

	// recordsKey is the key of the pass over the records of all services.
	recordsKey = "records"

	upkeepStream = "KV_" + contract.UpkeepBucket
)

// upkeepKey is the key of the passes over the queue of a service.
func upkeepKey(service string) string { return "service." + service }

// upkeep is what is kept of the passes over a queue, or over the records. Whoever writes it
// before a pass has that pass: there is no leader, and one who dies is missed for one pass.
type upkeep struct {
	// At is when the last pass began.
	At time.Time `json:"at"`
	// Next is the sequence of the stream with which the next pass begins, since one pass
	// does not look at everything; 0 is the beginning.
	Next uint64 `json:"next,omitempty"`
	// Healed counts what passes have put right in all.
	Healed map[contract.HealKind]int64 `json:"healed,omitempty"`

	revision uint64
}

// readUpkeep reads what is kept under a key; what is not there is empty.
func (s *Store) readUpkeep(ctx context.Context, key string) (*upkeep, error) {
	u := new(upkeep)
	m, err := s.direct(ctx, upkeepStream, "$KV."+contract.UpkeepBucket+"."+key)
	if isNoResponders(err) || err == nil && m == nil {
		return u, nil
	}
	if err != nil {
		return nil, err
	}
	if m.Header.Get("KV-Operation") == "" { // else it was deleted by hand
		if err := json.Unmarshal(m.Data, u); err != nil {
			return nil, fmt.Errorf("read %s of %s: %w", key, contract.UpkeepBucket, err)
		}
	}
	u.revision, _, err = stored(m)
	return u, err
}

// writeUpkeep stores what is kept under a key after the revision that it has.
func (s *Store) writeUpkeep(ctx context.Context, key string, u *upkeep) error {
	body, err := json.Marshal(u)
	if err != nil {
		return fmt.Errorf("encode %s of %s: %w", key, contract.UpkeepBucket, err)
	}
	revision, _, err := s.store(ctx, &nats.Msg{Subject: "$KV." + contract.UpkeepBucket + "." + key, Data: body, Header: nats.Header{
		jetstream.ExpectedLastSubjSeqHeader: {strconv.FormatUint(u.revision, 10)},
	}})
	if err == nil {
		u.revision = revision
	}
	return err
}

// amend changes what is kept under a key.
func (s *Store) amend(ctx context.Context, key string, change func(*upkeep)) error {
	for {
		u, err := s.readUpkeep(ctx, key)
		if err != nil {
			return err
		}
		change(u)
		if err := s.writeUpkeep(ctx, key, u); !isMoved(err) {
			return err
		}
	}
}

// claim takes the next pass under a key if it is due, and returns what is kept; nil if it
// is not, or if somebody else took it.
func (s *Store) claim(ctx context.Context, key string) (*upkeep, error) {
	u, err := s.readUpkeep(ctx, key)
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	// One from the future was written by a clock that is wrong.
	if age := now.Sub(u.At); age < upkeepEvery && age > -upkeepEvery {
		return nil, nil
	}
	u.At = now.Truncate(time.Millisecond)
	switch err := s.writeUpkeep(ctx, key, u); {
	case isMoved(err):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return u, nil
}

// tally counts what a pass has put right, by service.
type tally map[string]map[contract.HealKind]int64

func (t tally) add(service string, kind contract.HealKind) {
	if t[service] == nil {
		t[service] = make(map[contract.HealKind]int64)
	}
	t[service][kind]++
}

// count notes what a pass has put right where operators see it.
func (s *Store) count(ctx context.Context, t tally) error {
	var errs []error
	for service, counts := range t {
		for kind, n := range counts {
			s.cfg.Log.InfoContext(ctx, "healed jobs", "service", service, "kind", kind, "count", n)
			s.healed.Add(ctx, n, metric.WithAttributes(attribute.String("heddle.service", service), attribute.String("heddle.heal.kind", string(kind))))
		}
		errs = append(errs, s.amend(ctx, upkeepKey(service), func(u *upkeep) {
			if u.Healed == nil {
				u.Healed = make(map[contract.HealKind]int64)
			}
			for kind, n := range counts {
				u.Healed[kind] += n
			}
		}))
	}
	return errors.Join(errs...)
}

// Heal makes a pass over the queues of the services, over the records and over what
// JetStream gave up, now and whether or not it is due. It puts right what is half-written
// because somebody died in the middle of it, and ends jobs that nobody would end: see
// [contract.HealKinds]. A pass is bounded; the next one goes on where it ended. Any number
// may run at once, beside everything else.
//
// [Serve] has a pass made every minute, so nobody need call it.
func (s *Store) Heal(ctx context.Context, services ...string) error {
	if err := s.makeUpkeep(ctx); err != nil {
		return unavailable(err)
	}
	errs := []error{s.healAdvisories(ctx)}
	for key, pass := range s.passes(services) {
		u, err := s.readUpkeep(ctx, key)
		if err == nil {
			err = s.makePass(ctx, key, u, pass)
		}
		errs = append(errs, err)
	}
	return unavailableUnless(errors.Join(errs...))
}

// pass looks at some of a stream, from a sequence on, and returns with which sequence to go
// on.
type pass func(ctx context.Context, from uint64, t tally) (next uint64, err error)

// passes returns the passes over the queues of services and over the records, by their keys.
func (s *Store) passes(services []string) map[string]pass {
	all := map[string]pass{recordsKey: s.healRecords}
	for _, service := range services {
		all[upkeepKey(service)] = func(ctx context.Context, from uint64, t tally) (uint64, error) {
			if err := s.healConsumers(ctx, service, t); err != nil {
				return from, err
			}
			return s.healWork(ctx, service, from, t)
		}
	}
	return all
}

// makePass makes a pass and keeps how far it has come.
func (s *Store) makePass(ctx context.Context, key string, u *upkeep, pass pass) error {
	t := make(tally)
	next, err := pass(ctx, u.Next, t)
	err = errors.Join(err, s.count(ctx, t))
	if next != u.Next {
		err = errors.Join(err, s.amend(ctx, key, func(u *upkeep) { u.Next = next }))
	}
	return err
}

// keep makes passes when they are due and nobody else makes them, until ctx ends.
func (s *Store) keep(ctx context.Context, services []string) {
	made := false
	for pause := upkeepEvery; ; {
		err := s.keepOnce(ctx, services, &made)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			// Without JetStream or the permission for it there is nothing to look after,
			// and at times the broker is away.
			s.cfg.Log.DebugContext(ctx, "look after queues of jobs", "error", err)
			pause = min(2*pause, maxUpkeepPause)
		default:
			pause = upkeepEvery
		}
		select {
		case <-time.After(pause/2 + rand.N(pause)):
		case <-ctx.Done():
			return
		}
	}
}

// keepOnce makes the passes that are due.
func (s *Store) keepOnce(ctx context.Context, services []string, made *bool) error {
	ctx, cancel := context.WithTimeout(ctx, passTimeout)
	defer cancel()
	if !*made {
		if err := s.makeUpkeep(ctx); err != nil {
			return err
		}
		*made = true
	}
	all := s.passes(services)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		u, err := s.claim(ctx, key)
		if err == nil && u != nil {
			err = s.makePass(ctx, key, u, all[key])
			if key == recordsKey {
				err = errors.Join(err, s.healAdvisories(ctx))
			}
		}
		if err != nil {
			*made = false // the bucket may be gone
			return err
		}
	}
	return nil
}

// keeping is the bucket of those who look after the queues.
func keeping() Stream {
	return bucket(contract.UpkeepBucket, "How far those have come who look after the queues of jobs")
}

// makeUpkeep makes what those who look after queues share, unless it is there.
func (s *Store) makeUpkeep(ctx context.Context) error {
	if err := s.makeStream(ctx, s.cfg.complete(keeping())); err != nil {
		return err
	}
	return s.makeStream(ctx, s.cfg.complete(advisories()))
}
