package jobs

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/contract"
)

// hint notes that a job is about to end in the state, so that it is found among many that
// have succeeded. Without its hint a job is missing in lists of its state and nowhere
// else, so an error is no reason to keep the job from ending.
func (s *Store) hint(ctx context.Context, ref contract.JobRef, state contract.JobState, ttl time.Duration) {
	m := &nats.Msg{Subject: ref.EndedSubject(state), Header: nats.Header{
		jetstream.MsgTTLHeader: {ttl.Round(time.Second).String()},
	}}
	if _, _, err := s.store(ctx, m); err != nil {
		s.cfg.Log.WarnContext(ctx, "store hint to job", "job", ref.ID(), "state", state, "error", err)
	}
}

// withdrawHint removes the hint to a job that is in the state no more. One that stays is
// passed over when jobs are listed.
func (s *Store) withdrawHint(ctx context.Context, ref contract.JobRef, state contract.JobState) {
	if err := s.purge(ctx, "KV_"+contract.EndedBucket, ref.EndedSubject(state)); err != nil {
		s.cfg.Log.WarnContext(ctx, "withdraw hint to job", "job", ref.ID(), "state", state, "error", err)
	}
}

// purge removes the messages of a subject from a stream that nobody consumes; see
// [Store.remove] for those that somebody does.
func (s *Store) purge(ctx context.Context, stream, subject string) error {
	body := `{"filter":"` + subject + `"}`
	_, _, err := s.store(ctx, &nats.Msg{Subject: "$JS.API.STREAM.PURGE." + stream, Data: []byte(body)})
	return err
}
