package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/strict"
)

const (
	// remembered is how long a cancellation is kept for requests that come after it:
	// out of the lane, or because the broker does not keep the order of two subjects.
	remembered = 30 * time.Second

	// maxRemembered bounds how many are kept; then the oldest one is forgotten.
	maxRemembered = 1024
)

// errCanceled is the cause with which the context of a cancelled request ends.
var errCanceled = errors.New("nobody waits for the reply any more")

// cancels knows the heavy requests of a service that wait or run here, and those that
// nobody wants any more. Light ones are over before they could be cancelled. The zero
// value knows none.
type cancels struct {
	sub *nats.Subscription

	mu      sync.Mutex
	joined  map[*joined]struct{}
	unheard []unheard // in the order of their ends
}

// joined is a request that can be cancelled.
type joined struct {
	reply  string
	cancel context.CancelCauseFunc
}

// unheard is a cancellation that may be for a request still to come.
type unheard struct {
	contract.Cancel
	until time.Time
}

// hearCancels subscribes to the cancellations of the service. Every instance hears all
// of them, since nobody knows which one has the request.
func (s *service) hearCancels(ctx context.Context) error {
	subject := contract.CancelSubject(s.spec.Name)
	sub, err := s.host.nc.Subscribe(subject, func(m *nats.Msg) {
		var c contract.Cancel
		err := strict.Decode(m.Data, &c)
		if err == nil {
			err = c.Validate()
		}
		if err != nil {
			s.host.log.DebugContext(ctx, "cancellation refused", "service", s.spec.Name, "error", err)
			return
		}
		s.cancels.hear(c, time.Now())
	})
	if err != nil {
		return fmt.Errorf("subscribe to %s: %w", subject, err)
	}
	s.cancels.sub = sub
	return nil
}

// close stops hearing.
func (k *cancels) close() {
	if k.sub != nil {
		_ = k.sub.Unsubscribe() // fails only when the connection is gone, and the subscription with it
	}
}

// join makes a request with the reply subject cancellable until leave is called. If it
// has been cancelled before, its context has ended.
func (k *cancels) join(ctx context.Context, reply string) (_ context.Context, leave func()) {
	if reply == "" {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	j := &joined{reply: reply, cancel: cancel}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.late(reply, time.Now()) {
		cancel(errCanceled)
	}
	if k.joined == nil {
		k.joined = make(map[*joined]struct{})
	}
	k.joined[j] = struct{}{}
	return ctx, func() {
		k.mu.Lock()
		delete(k.joined, j)
		k.mu.Unlock()
		cancel(nil)
	}
}

// late reports whether a request was cancelled before it came. The lock is held.
func (k *cancels) late(reply string, now time.Time) bool {
	k.forget(now)
	return slices.ContainsFunc(k.unheard, func(u unheard) bool { return u.Matches(reply) })
}

// hear cancels the requests that are here and remembers the cancellation for those that
// are not.
func (k *cancels) hear(c contract.Cancel, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	here := false
	for j := range k.joined {
		if c.Matches(j.reply) {
			j.cancel(errCanceled)
			here = here || j.reply == c.Reply
		}
	}
	if here {
		return // it was for this request, and no other comes
	}
	k.forget(now)
	if len(k.unheard) == maxRemembered {
		k.unheard = slices.Delete(k.unheard, 0, 1)
	}
	k.unheard = append(k.unheard, unheard{c, now.Add(remembered)})
}

// forget forgets what is too old. The lock is held.
func (k *cancels) forget(now time.Time) {
	n := 0
	for n < len(k.unheard) && now.After(k.unheard[n].until) {
		n++
	}
	k.unheard = k.unheard[n:]
}
