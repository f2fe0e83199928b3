package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"
)

// keptStream is a stream of the plan as something to provision.
func (s *Store) keptStream(stream Stream) kept {
	want := stream.StreamConfig
	want.Metadata = nil // the revision is looked at by itself
	return kept{
		name: "stream " + stream.Name, find: Finding{Stream: stream.Name},
		want: planned(want, jetstream.StreamConfig{}, stream.Initial), revision: revisionOf(stream.StreamConfig),
		look: func(ctx context.Context) (settings, int, error) {
			is, err := s.js.Stream(ctx, stream.Name)
			if errors.Is(err, jetstream.ErrStreamNotFound) {
				return nil, 0, nil
			}
			if err != nil {
				return nil, 0, err
			}
			all, err := settingsOf(is.CachedInfo().Config)
			return all, revisionOf(is.CachedInfo().Config), err
		},
		create: func(ctx context.Context) error {
			_, err := s.js.CreateStream(ctx, stream.StreamConfig)
			return err
		},
		alter: func(ctx context.Context, all settings) error {
			var c jetstream.StreamConfig
			if err := all.into(&c); err != nil {
				return err
			}
			if c.Metadata == nil {
				c.Metadata = make(map[string]string)
			}
			maps.Copy(c.Metadata, stream.Metadata)
			_, err := s.js.UpdateStream(ctx, c)
			return err
		},
	}
}

// keptConsumer is a consumer of the plan as something to provision.
func (s *Store) keptConsumer(stream string, c jetstream.ConsumerConfig) kept {
	return kept{
		name: "consumer " + c.Durable + " of " + stream, find: Finding{Stream: stream, Consumer: c.Durable},
		want: planned(c, jetstream.ConsumerConfig{}, nil),
		look: func(ctx context.Context) (settings, int, error) {
			is, err := s.js.Consumer(ctx, stream, c.Durable)
			if errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, jetstream.ErrStreamNotFound) {
				return nil, 0, nil
			}
			if err != nil {
				return nil, 0, err
			}
			all, err := settingsOf(is.CachedInfo().Config)
			return all, 0, err
		},
		create: func(ctx context.Context) error {
			_, err := s.js.CreateConsumer(ctx, stream, c)
			return err
		},
		alter: func(ctx context.Context, all settings) error {
			var to jetstream.ConsumerConfig
			if err := all.into(&to); err != nil {
				return err
			}
			_, err := s.js.UpdateConsumer(ctx, stream, to)
			return err
		},
	}
}

// planned returns the settings of a configuration that are not as in the empty one, without
// those that count only when something is made. Both are structs of JSON only, which always
// marshal.
func planned(config, empty any, initial []string) settings {
	want, _ := settingsOf(config)
	open, _ := settingsOf(empty)
	maps.DeleteFunc(want, func(name string, value json.RawMessage) bool {
		return string(open[name]) == string(value) || slices.Contains(initial, name)
	})
	return want
}

// into writes the settings into a configuration.
func (s settings) into(config any) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, config)
}

// revisionOf returns the revision of the plan by which a stream was made or changed last, 0
// if it does not say.
func revisionOf(c jetstream.StreamConfig) int {
	n, err := strconv.Atoi(c.Metadata[revisionKey])
	if err != nil {
		return 0
	}
	return n
}
