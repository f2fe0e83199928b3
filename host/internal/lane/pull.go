package lane

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
)

// Acknowledgements of JetStream.
const (
	ack  = "+ACK"
	nak  = "-NAK"
	term = "+TERM"
)

// Ask asks the broker for as many requests as slots are free now. It must be called when
// slots were taken or given back, and is cheap when nothing is to be asked for.
func (l *Lane) Ask() {
	l.mu.Lock()
	l.asking = true
	l.mu.Unlock()
	l.ask()
}

// ask has one request for work with the broker for each free slot. No slot is held
// meanwhile: a direct request may take it, and what comes then is given back.
func (l *Lane) ask() {
	for {
		reply, missing := l.more()
		if !missing {
			return
		}
		body := `{"batch":1,"expires":` + strconv.FormatInt(int64(pullExpiry), 10) + `}`
		subject := "$JS.API.CONSUMER.MSG.NEXT." + contract.LaneStream(l.cfg.Service) + "." + consumer
		_ = l.nc.PublishRequest(subject, reply, []byte(body)) // fails only on a closed connection
	}
}

// more counts one more request for work, if one is missing, and returns where the answer
// comes.
func (l *Lane) more() (reply string, missing bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// The slots are counted under the lock: of several changes at once, the last one to
	// come here sees them all.
	if !l.open || !l.asking || l.stopping || l.asked >= l.cfg.Free() {
		return "", false
	}
	l.asked++
	return l.pullSubject(), true
}

// renewPulls begins asking anew under another subject, so that nothing that was asked for
// before comes any more. What was on its way is offered again by the broker.
func (l *Lane) renewPulls() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopping {
		return
	}
	l.epoch++
	l.asked = 0
	epoch, old := l.epoch, l.pulls
	sub, err := l.nc.Subscribe(l.pullSubject(), func(m *nats.Msg) { l.onPull(m, epoch) })
	if err != nil {
		return // the connection is closed
	}
	l.pulls = sub
	if old != nil {
		_ = old.Unsubscribe() // fails only on a closed connection
	}
}

// onPull hears the answer to a request for work: a request of the lane under its own
// subject, or a status under the subject of the asking.
func (l *Lane) onPull(m *nats.Msg, epoch int) {
	l.mu.Lock()
	if epoch == l.epoch {
		l.asked--
	}
	isStatus := m.Reply == "" // a message of the lane wants to be acknowledged
	l.mu.Unlock()
	switch {
	case !isStatus:
		l.offer(m)
	case lapsed(m):
		l.seen(false)
	default: // 409: the consumer was deleted or its server stops; 503: no stream
		l.lose()
		return
	}
	l.ask()
}

// lapsed reports whether a status says that no request came in time.
func lapsed(m *nats.Msg) bool {
	status := m.Header.Get("Status")
	return status == "404" || status == "408"
}

// offer offers a request of the lane to the instance.
func (l *Lane) offer(m *nats.Msg) {
	e := l.unwrap(m)
	behind := e.behind
	switch {
	case time.Now().After(e.Deadline):
		l.publish(e.ack, term) // whoever handed it over has told the caller
	case !l.cfg.Take(e):
		behind = true
		l.publish(e.ack, nak)
	case e.Pure:
		l.publish(e.ack, ack)
		l.publish(e.taken, "")
	}
	l.seen(behind)
}

// The answers to a claim.
const (
	granted = "+"
	denied  = "-"
)

// claimWait is how long the answer to a claim may take. It is there at once, unless the
// instance that has to give it has no broker now.
const claimWait = time.Second

// errDenied says that an entry was given to another instance, or taken back.
var errDenied = errors.New("another instance has the request")

// Claim asks whoever handed an entry over whether it may run now. Entries that are pure
// may. An error means that this instance must not run it and need not answer it.
func (l *Lane) Claim(ctx context.Context, e Entry) error {
	if e.Pure {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, claimWait)
	defer cancel()
	reply, err := l.nc.RequestWithContext(ctx, e.taken, nil)
	switch {
	case err == nil && string(reply.Data) == granted:
		l.publish(e.ack, ack)
		return nil
	case err == nil:
		l.publish(e.ack, term)
		return errDenied
	case errors.Is(err, context.DeadlineExceeded): // or somebody else is asked to try
		l.publish(e.ack, nak)
	default: // no responders: whoever handed it over was killed
		l.publish(e.ack, term)
		l.cfg.Refuse(e, Lost)
	}
	return fmt.Errorf("claim request of the lane: %w", err)
}
