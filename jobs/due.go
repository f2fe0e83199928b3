package jobs

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/contract"
)

const (
	// dueWait is how long a jobs service may take to make a job of what is due before the
	// broker gives it to another one. If both do it, it is one job all the same.
	dueWait = 5 * time.Second

	// maxDuePause is the longest wait before it is tried again.
	maxDuePause = 30 * time.Second
)

// duePurged is what the broker says in place of the next time when a schedule was due once.
const duePurged = "purge"

// schedules is the stream of the schedules, with the consumer of what is due.
func schedules() Stream {
	all := contract.JobRef{Tenant: "*", Service: "*", Operation: "*", Token: "*"}
	return Stream{
		StreamConfig: jetstream.StreamConfig{
			Name:              contract.ScheduleStream,
			Description:       "Schedules of jobs, and what is due",
			Subjects:          []string{all.ScheduleSubject(), all.DueSubject()},
			Retention:         jetstream.WorkQueuePolicy,
			Storage:           jetstream.FileStorage,
			MaxMsgsPerSubject: 1,
			AllowDirect:       true,
			AllowRollup:       true,
			AllowMsgSchedules: true,
			Duplicates:        repeats,
		},
		Consumers: []jetstream.ConsumerConfig{{
			Durable:       contract.DueConsumer,
			FilterSubject: all.DueSubject(),
			AckPolicy:     jetstream.AckExplicitPolicy,
			AckWait:       dueWait,
			MaxDeliver:    -1, // until there is room for the job
			MaxAckPending: -1, // those that wait for room must not hold up others
			MaxWaiting:    maxAsking,
		}},
	}
}

// makeSchedules makes the stream of the schedules and its consumer, unless they are there.
func (s *Store) makeSchedules(ctx context.Context) error {
	return s.makeStream(ctx, s.cfg.complete(schedules()))
}

// occurrence names the job that a schedule with a cron expression makes in the time before
// it is due next. All that the broker says is due with the same next time is one job: after
// a crash it may say so twice.
func occurrence(ref contract.JobRef, next time.Time) contract.JobRef {
	job := ref
	job.Token = macToken(ref, "\x02"+ref.Token+"\x02"+strconv.FormatInt(next.Unix(), 10))
	return job
}

// dueJob returns the schedule and the job of a message that says that it is due, unless that
// is not one of the broker's.
func dueJob(m jetstream.Msg) (ref, job contract.JobRef, ok bool) {
	ref, ok = contract.ParseDueSubject(m.Subject())
	next := m.Headers().Get(jetstream.ScheduleNextHeader)
	if next == duePurged {
		return ref, ref, ok
	}
	at, err := time.Parse(time.RFC3339Nano, next)
	return ref, occurrence(ref, at), ok && err == nil
}

// makeDue makes a job of a message that says that a schedule is due, unless it was made
// before. The request is not checked again: a job that cannot be done fails where people
// look for it. An error says that it may be possible later.
func (s *Store) makeDue(ctx context.Context, m jetstream.Msg) error {
	ref, job, ok := dueJob(m)
	if !ok {
		s.cfg.Log.ErrorContext(ctx, "drop what is due and was not put there by the broker", "subject", m.Subject())
		return nil
	}
	if _, err := s.find(ctx, job); !errors.Is(err, contract.CodeNotFound) {
		return err
	}
	options, err := contract.ParseJobOptions(m.Headers().Get)
	if err != nil { // nobody of ours stores such ones
		s.cfg.Log.WarnContext(ctx, "schedule has bad options", "schedule", ref.ID(), "error", err)
	}
	_, _, err = s.queue(ctx, job, Submission{Body: m.Data(), Options: options, schedule: ref.ID()})
	return err
}

// serveDue makes jobs of what is due until asking ends. Where the broker has no schedules it
// keeps looking for them. The other context is the one that jobs are made under.
func (s *Service) serveDue(asking, ctx context.Context) {
	for {
		err := s.takeDue(asking, ctx)
		if asking.Err() != nil {
			return
		}
		s.log.DebugContext(ctx, "no schedules", "error", err)
		select {
		case <-asking.Done():
			return
		case <-time.After(lookEvery):
		}
	}
}

// takeDue makes jobs of what is due until asking ends or the broker takes the consumer away.
func (s *Service) takeDue(asking, ctx context.Context) error {
	opening, cancel := context.WithTimeout(asking, apiTimeout)
	defer cancel()
	if err := s.store.makeSchedules(opening); err != nil {
		return err
	}
	due, err := s.store.js.Consumer(opening, contract.ScheduleStream, contract.DueConsumer)
	if err != nil {
		return fmt.Errorf("find consumer of what is due: %w", err)
	}
	taking, err := due.Consume(func(m jetstream.Msg) { s.take(ctx, m) }, jetstream.PullMaxMessages(atOnce))
	if err != nil {
		return fmt.Errorf("take what is due: %w", err)
	}
	select {
	case <-asking.Done():
		if s.store.nc.IsConnected() {
			taking.Drain()
		} else {
			taking.Stop() // nobody would say when all has come
		}
	case <-taking.Closed():
	}
	<-taking.Closed()
	return errors.New("the consumer of what is due is gone")
}

// take makes a job of a message that says that a schedule is due, in a goroutine of its own:
// most of the time it waits for the broker. Only when there is the job it acknowledges.
func (s *Service) take(ctx context.Context, m jetstream.Msg) {
	s.slots <- struct{}{}
	s.serving.Go(func() {
		defer func() { <-s.slots }()
		ctx, cancel := context.WithTimeout(ctx, dueWait)
		defer cancel()
		err := s.store.makeDue(ctx, m)
		if err == nil {
			err = m.Ack()
		} else {
			s.log.WarnContext(ctx, "make job of schedule, will try again", "subject", m.Subject(), "error", err)
			err = m.NakWithDelay(duePause(m))
		}
		if err != nil {
			s.log.WarnContext(ctx, "acknowledge what is due", "subject", m.Subject(), "error", err)
		}
	})
}

// duePause returns how long to wait before what is due is tried again.
func duePause(m jetstream.Msg) time.Duration {
	tries := 1
	if meta, err := m.Metadata(); err == nil {
		tries = int(meta.NumDelivered)
	}
	return min(Backoff(tries), maxDuePause)
}
