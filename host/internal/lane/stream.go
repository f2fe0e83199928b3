package lane

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"
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
func (l *Lane) ensure(work context.Context) {
	ctx, cancel := context.WithTimeout(work, apiTimeout)
	defer cancel()
	made, err := l.find(ctx)
	if isGone(err) {
		select {
		case <-ctx.Done():
		case <-time.After(rand.N(jitter)):
		}
		if made, err = l.find(ctx); isGone(err) {
			made, err = l.make(ctx, err)
		}
	}
	switch {
	case err == nil:
		l.opened(made)
	case work.Err() == nil:
		l.shut(err)
	}
}

// find returns when the lane's stream was made.
func (l *Lane) find(ctx context.Context) (time.Time, error) {
	s, err := l.js.Stream(ctx, contract.LaneStream(l.cfg.Service))
	if err != nil {
		return time.Time{}, err
	}
	if !l.isOpen() {
		// The stream may be there without its consumer, if its maker died between.
		err = l.makeConsumer(ctx, s)
	}
	return s.CachedInfo().Created, err
}

// isGone reports whether the lane's stream is not there or of no use any more.
func isGone(err error) bool { return errors.Is(err, jetstream.ErrStreamNotFound) || isOffline(err) }

// streamOffline is the server's code for a stream none of whose nodes is up.
const streamOffline = 10118

func isOffline(err error) bool {
	api, ok := errors.AsType[*jetstream.APIError](err)
	return ok && api.ErrorCode == streamOffline
}

// make makes the lane's stream, which find did not find for the given reason.
func (l *Lane) make(ctx context.Context, why error) (time.Time, error) {
	if isOffline(why) {
		// It was on a node that is down and had no replica. Deleting it stays in force
		// when the node comes back.
		if err := l.js.DeleteStream(ctx, contract.LaneStream(l.cfg.Service)); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			return time.Time{}, fmt.Errorf("delete lost lane: %w", err)
		}
	}
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
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return l.find(ctx) // an instance with other settings was faster
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("make lane: %w", err)
	}
	if err := l.makeConsumer(ctx, s); err != nil {
		return time.Time{}, err
	}
	return s.CachedInfo().Created, nil
}

// makeConsumer makes the consumer that all instances pull from, unless it is there. One
// with other settings, of another release, serves as well.
func (l *Lane) makeConsumer(ctx context.Context, s jetstream.Stream) error {
	_, err := s.CreateConsumer(ctx, jetstream.ConsumerConfig{
		Durable:       consumer,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       ackWait,
		MaxAckPending: -1,
		MaxWaiting:    maxWaiting,
		MemoryStorage: true,
	})
	if err != nil && !errors.Is(err, jetstream.ErrConsumerExists) {
		return fmt.Errorf("make lane: %w", err)
	}
	return nil
}

// opened takes the lane into use. If it is another one than before, everything that was
// handed over is handed over again.
func (l *Lane) opened(made time.Time) {
	l.mu.Lock()
	again := !l.made.Equal(made)
	if l.told {
		l.cfg.Log.Info("the lane is there", "service", l.cfg.Service)
	}
	l.open, l.made, l.told = true, made, false
	l.lookAt = nextLook()
	var lost []*handed
	if again {
		for token, h := range l.handed {
			l.drop(token)
			lost = append(lost, h)
		}
	}
	l.mu.Unlock()
	if again {
		l.renewPulls()
	}
	for _, h := range lost {
		if !l.Hand(h.Entry) {
			l.cfg.Keep(h.Entry)
		}
	}
	l.ask()
}

// shut puts the lane out of use until it is found again. What was handed over stays
// where it is: the broker may only be out of reach for a moment.
func (l *Lane) shut(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.told && l.nc.IsConnected() {
		l.told = true
		l.cfg.Log.Warn("no lane: requests that find this instance full wait here, not for any instance", "service", l.cfg.Service, "error", err)
	}
	l.open = false
	l.lookAt = nextLook()
	if !errors.Is(err, nats.ErrNoResponders) && !errors.Is(err, jetstream.ErrJetStreamNotEnabled) {
		l.lookAt = time.Now().Add(rand.N(tick)) // JetStream is there, and perhaps finding itself
	}
}

func nextLook() time.Time { return time.Now().Add(every/2 + rand.N(every)) }

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
