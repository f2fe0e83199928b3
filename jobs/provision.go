package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Verdict says how something at the broker compares with the [Plan].
type Verdict string

// The verdicts.
const (
	Missing   Verdict = "missing"   // it is not there
	Different Verdict = "different" // it has other settings
	Same      Verdict = "same"      // it is as planned
	Newer     Verdict = "newer"     // a newer release has made or changed it: it stays as it is
)

// Finding is what was found of one stream or consumer of the [Plan].
type Finding struct {
	// Stream is the name of the stream.
	Stream string
	// Consumer is the name of the consumer of it; empty for the stream itself.
	Consumer string
	// Verdict is how it compares with the plan. Provisioning makes what is missing and
	// changes what is different.
	Verdict Verdict
	// Differences are the settings that are to be changed, in the order of their names.
	Differences []Difference
}

// Difference is a setting that is not as planned.
type Difference struct {
	// Setting is its name in the broker's JSON, such as num_replicas.
	Setting string
	// From and To are its values as JSON; an empty From means that it was not set.
	From, To string
}

// Survey compares what the broker has with the [Plan] for the services, and changes
// nothing. It tries again until ctx ends while the broker cannot answer; its errors are
// those of [Store.Provision].
func (s *Store) Survey(ctx context.Context, services ...string) ([]Finding, error) {
	return s.each(ctx, services, func(ctx context.Context, k kept) (Finding, error) {
		f, _, err := k.survey(ctx)
		return f, err
	})
}

// Provision makes what the [Plan] for the services has and the broker has not, and changes
// what is different. What a newer release has made or changed stays as it is. It may be
// called again, and by several at once: who comes last decides.
//
// It returns what it found, and was done by it, in the order of the plan. While the broker
// cannot answer, such as a cluster that has no leader yet, it tries again until ctx ends.
// A stream that the broker refuses does not keep it from the others. Errors are a
// [*contract.Error], most with [contract.CodeUnavailable], or say which stream the broker
// refused and why.
func (s *Store) Provision(ctx context.Context, services ...string) ([]Finding, error) {
	return s.each(ctx, services, func(ctx context.Context, k kept) (Finding, error) { return k.provision(ctx) })
}

// each does something for each stream and each consumer of the plan.
func (s *Store) each(ctx context.Context, services []string, do func(context.Context, kept) (Finding, error)) (found []Finding, err error) {
	for _, stream := range Plan(s.cfg, services...) {
		f, e := persist(ctx, func(ctx context.Context) (Finding, error) { return do(ctx, s.keptStream(stream)) })
		if e != nil {
			err = errors.Join(err, e)
			continue // its consumers have nowhere to be
		}
		found = append(found, f)
		for _, c := range stream.Consumers {
			k := s.keptConsumer(stream.Name, c)
			k.fixed = f.Verdict == Newer
			f, e := persist(ctx, func(ctx context.Context) (Finding, error) { return do(ctx, k) })
			if e != nil {
				err = errors.Join(err, e)
				continue
			}
			found = append(found, f)
		}
	}
	return found, err
}

// retryPause is how long to wait before the broker is asked again.
const retryPause = 250 * time.Millisecond

// persist does something until the broker can answer, or until ctx ends.
func persist(ctx context.Context, do func(context.Context) (Finding, error)) (Finding, error) {
	for {
		once, cancel := context.WithTimeout(ctx, apiTimeout)
		f, err := do(once)
		cancel()
		if err == nil || !passes(err) {
			return f, explain(err)
		}
		select {
		case <-ctx.Done():
			return f, explain(err)
		case <-time.After(retryPause):
		}
	}
}

// The server's codes for what the size of the installation decides.
const (
	noPeers       = 10005 // too few nodes are up for the replicas
	noClustering  = 10074 // replicas without a cluster
	noStorage     = 10047 // the storage is set apart for other streams
	noStorageHere = 10023 // the same in a cluster
)

// passes reports whether the broker may do later what it did not do now.
func passes(err error) bool {
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return true // of a consumer: not every node knows of the stream yet, or it was removed
	}
	if api, ok := errors.AsType[*jetstream.APIError](err); ok {
		return api.ErrorCode == noPeers || api.Code == 503 && api.ErrorCode != noStorageHere
	}
	return isNoResponders(err) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) ||
		errors.Is(err, nats.ErrDisconnected)
}

// explain says what to change so that the broker does it.
func explain(err error) error {
	api, ok := errors.AsType[*jetstream.APIError](err)
	switch {
	case err == nil:
		return nil
	case !ok:
		return unavailable(err)
	case api.ErrorCode == noPeers:
		return fmt.Errorf("%w; ask for fewer replicas, or start more nodes", err)
	case api.ErrorCode == noClustering:
		return fmt.Errorf("%w; ask for one replica", err)
	case api.ErrorCode == noStorage, api.ErrorCode == noStorageHere:
		return fmt.Errorf("%w; ask for fewer bytes for queued jobs, or give the broker more storage", err)
	case passes(err):
		return unavailable(err)
	}
	return err
}

// settings are those of a stream or a consumer by their names in the broker's JSON.
type settings map[string]json.RawMessage

// settingsOf returns the settings of a configuration.
func settingsOf(config any) (settings, error) {
	text, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	var s settings
	return s, json.Unmarshal(text, &s)
}

// kept is a stream or a consumer of the plan.
type kept struct {
	name string // for errors
	find Finding
	// want are the settings that it is to have, without those that count only when it is
	// made and those that the plan leaves open.
	want settings
	// revision is the plan's; 0 if it says none.
	revision int
	// fixed says that it stays as it is, if it is there.
	fixed bool

	// look returns its settings and the revision of the plan that made it; none if it is
	// not there.
	look func(context.Context) (settings, int, error)
	// create makes it. It may be there meanwhile.
	create func(context.Context) error
	// alter gives it the settings, all of them.
	alter func(context.Context, settings) error
}

// survey compares it with what is there. It returns all settings that it is to have.
func (k kept) survey(ctx context.Context) (Finding, settings, error) {
	f := k.find
	is, revision, err := k.look(ctx)
	switch {
	case err != nil:
		return f, nil, fmt.Errorf("look at %s: %w", k.name, err)
	case is == nil:
		f.Verdict = Missing
		return f, nil, nil
	case k.fixed || revision > k.revision:
		f.Verdict = Newer
		return f, nil, nil
	}
	if revision < k.revision {
		f.Differences = append(f.Differences, Difference{revisionKey, strconv.Itoa(revision), strconv.Itoa(k.revision)})
	}
	for _, name := range slices.Sorted(maps.Keys(k.want)) {
		if from, to := string(is[name]), string(k.want[name]); from != to {
			f.Differences = append(f.Differences, Difference{name, from, to})
			is[name] = k.want[name]
		}
	}
	f.Verdict = Same
	if len(f.Differences) > 0 {
		f.Verdict = Different
	}
	return f, is, nil
}

// provision makes or changes it.
func (k kept) provision(ctx context.Context) (Finding, error) {
	f, to, err := k.survey(ctx)
	switch {
	case err != nil:
		return f, err
	case f.Verdict == Missing:
		err = k.create(ctx)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) || errors.Is(err, jetstream.ErrConsumerExists) {
			return k.provision(ctx) // an instance was faster, and may have other settings
		}
		if err != nil {
			return f, fmt.Errorf("make %s: %w", k.name, err)
		}
	case f.Verdict == Different:
		if err := k.alter(ctx, to); err != nil {
			return f, fmt.Errorf("change %s: %w", k.name, err)
		}
	}
	return f, nil
}
