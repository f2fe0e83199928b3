package lane

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/contract"
)

const (
	// consumer is the name of the one consumer that all instances pull from.
	consumer = "instances"

	// bytesPerEntry bounds the memory of a lane: so many bytes for each request that
	// it has room for, on average.
	bytesPerEntry = 64 << 10

	// maxWaiting is the number of requests for work that the broker keeps for all
	// instances together, one for each free slot.
	maxWaiting = 16384

	// apiTimeout bounds one exchange with JetStream.
	apiTimeout = 2 * time.Second

	// jitter spreads the instances that find the lane gone, so that one makes it and
	// the others find it made.
	jitter = 50 * time.Millisecond
)

// ensure finds the lane or makes it, and hands over again what a lost one took along.
func (l *Lane) ensure(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	made, err := l.find(ctx)
	if errors.Is(err, errGone) {
		select {
		case <-ctx.Done():
		case <-time.After(rand.N(jitter)):
		}
		if made, err = l.find(ctx); errors.Is(err, errGone) {
			made, err = l.make(ctx)
		}
	}
	if err != nil {
		l.close(ctx, err)
		return
	}
	l.opened(made)
}

// errGone says that the lane's stream is not there or of no use any more.
var errGone = errors.New("lane is gone")

// find returns when the lane's stream was made.
func (l *Lane) find(ctx context.Context) (time.Time, error) {
	s, err := l.js.Stream(ctx, contract.LaneStream(l.cfg.Service))
	switch {
	case err == nil:
		// The stream may be there without its consumer, if its maker died between.
		_, err = s.CreateConsumer(ctx, consumerConfig())
		return s.CachedInfo().Created, err
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return time.Time{}, errGone
	case isOffline(err):
		// It was on a node that is down and had no replica. Deleting it stays in force
		// when the node comes back.
		if err := l.js.DeleteStream(ctx, contract.LaneStream(l.cfg.Service)); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			return time.Time{}, fmt.Errorf("delete lost lane: %w", err)
		}
		return time.Time{}, errGone
	default:
		return time.Time{}, err
	}
}

// streamOffline is the server's code for a stream none of whose nodes is up.
const streamOffline = 10118

func isOffline(err error) bool {
	api, ok := errors.AsType[*jetstream.APIError](err)
	return ok && api.ErrorCode == streamOffline
}

// make makes the lane's stream.
func (l *Lane) make(ctx context.Context) (time.Time, error) {
	s, err := l.js.CreateStream(ctx, jetstream.StreamConfig{
		Name:        contract.LaneStream(l.cfg.Service),
		Description: "Requests that wait for a free slot of any instance",
		Subjects:    []string{contract.LaneSubject(l.cfg.Service, "*")},
		Retention:   jetstream.WorkQueuePolicy,
		Storage:     jetstream.MemoryStorage,
		Discard:     jetstream.DiscardNew,
		MaxMsgs:     int64(l.cfg.Size),
		MaxBytes:    int64(l.cfg.Size) * bytesPerEntry,
		Replicas:    1, // five times cheaper than three, and instances keep what they handed over
		AllowMsgTTL: true,
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("make lane: %w", err)
	}
	if _, err := s.CreateConsumer(ctx, consumerConfig()); err != nil {
		return time.Time{}, fmt.Errorf("make lane: %w", err)
	}
	return s.CachedInfo().Created, nil
}

func consumerConfig() jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable:       consumer,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       ackWait,
		MaxAckPending: -1,
		MaxWaiting:    maxWaiting,
		MemoryStorage: true,
	}
}

// opened takes the lane into use. If it is another one than before, everything that was
// handed over is handed over again.
func (l *Lane) opened(made time.Time) {
	l.mu.Lock()
	again := l.made.IsZero() || !l.made.Equal(made)
	if !l.open {
		l.cfg.Log.Debug("lane is open", "service", l.cfg.Service)
	}
	l.open, l.made = true, made
	var lost []*handed
	if again {
		l.epoch++
		l.asked = 0
		for token, h := range l.handed {
			l.drop(token)
			lost = append(lost, h)
		}
	}
	l.mu.Unlock()
	for _, h := range lost {
		switch {
		case !h.Pure && h.stored: // it may have been taken before the lane was lost
			l.cfg.Refuse(h.Entry, Lost)
		case !l.Hand(h.Entry):
			l.cfg.Keep(h.Entry)
		}
	}
	l.ask()
}

// close puts the lane out of use until it is found again. What was handed over stays
// where it is: the broker may only be out of reach for a moment.
func (l *Lane) close(ctx context.Context, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if (l.open || l.retryAt.IsZero()) && context.Cause(ctx) == nil {
		l.cfg.Log.Warn("no lane: requests that find this instance full wait here, not for any instance", "service", l.cfg.Service, "error", err)
	}
	l.open = false
	l.retryAt = time.Now().Add(retry/2 + rand.N(retry))
}

func (l *Lane) info(ctx context.Context) (*jetstream.ConsumerInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, tick)
	defer cancel()
	c, err := l.js.Consumer(ctx, contract.LaneStream(l.cfg.Service), consumer)
	if err != nil {
		return nil, err
	}
	return c.CachedInfo(), nil
}

// waiting returns how many requests no instance has taken: those that the broker has not
// offered yet, and those that instances gave back.
func waiting(info *jetstream.ConsumerInfo) uint64 {
	return info.NumPending + uint64(info.NumAckPending)
}
