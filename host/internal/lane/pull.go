package lane

import (
	"context"
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

// SetFree says how many slots of the instance are free now: the lane asks the broker for
// as many requests. It is cheap when nothing has changed for the worse.
func (l *Lane) SetFree(slots int) {
	l.mu.Lock()
	l.free = slots
	l.mu.Unlock()
	l.ask()
}

// ask has one request for work with the broker for each free slot. No slot is held
// meanwhile: a direct request may take it, and what comes then is given back.
func (l *Lane) ask() {
	for l.more() {
		body := `{"batch":1,"expires":` + strconv.FormatInt(int64(pullExpiry), 10) + `}`
		subject := "$JS.API.CONSUMER.MSG.NEXT." + contract.LaneStream(l.cfg.Service) + "." + consumer
		l.mu.Lock()
		reply := l.pullSubject(l.epoch)
		l.mu.Unlock()
		_ = l.nc.PublishRequest(subject, reply, []byte(body)) // fails only on a closed connection
	}
}

// more counts one more request for work, if one is missing.
func (l *Lane) more() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.open || l.stopping || l.asked >= l.free {
		return false
	}
	l.asked++
	return true
}

// forgetPulls begins asking anew.
func (l *Lane) forgetPulls() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.epoch++
	l.asked = 0
}

// onPull hears the answer to a request for work: a request of the lane under its own
// subject, or a status under the subject of the asking.
func (l *Lane) onPull(m *nats.Msg) {
	status := m.Header.Get("Status")
	l.mu.Lock()
	if status == "" || token(m.Subject) == strconv.Itoa(l.epoch) {
		l.asked = max(0, l.asked-1)
	}
	l.mu.Unlock()
	switch status {
	case "":
		l.offer(m)
	case "404", "408": // nothing came in time
	default: // 409: the consumer was deleted or its server stops; 503: no stream
		l.lose()
		return
	}
	l.ask()
}

// offer offers a request of the lane to the instance.
func (l *Lane) offer(m *nats.Msg) {
	e, taken := l.unwrap(m)
	switch {
	case time.Now().After(e.Deadline):
		l.publish(m.Reply, term)
		l.cfg.Refuse(e, Expired) // whoever handed it over may be gone
	case !l.cfg.Take(e):
		l.publish(m.Reply, nak)
		return
	default:
		l.publish(m.Reply, ack)
	}
	l.publish(taken, "")
}

// Finish keeps taking requests until the lane is empty, another instance takes them, or
// ctx ends, so that the last instance to leave leaves nobody waiting.
func (l *Lane) Finish(ctx context.Context) {
	ticker := time.NewTicker(tick / 10)
	defer ticker.Stop()
	for l.isOpen() {
		info, err := l.info(ctx)
		if err != nil || waiting(info) == 0 || info.NumWaiting > l.outstanding() {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (l *Lane) outstanding() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked
}

// Stop asks for no more requests. The channel is closed when the last one that was on
// its way has been offered.
func (l *Lane) Stop() <-chan struct{} {
	l.mu.Lock()
	l.stopping = true
	l.mu.Unlock()
	stopped := make(chan struct{})
	l.pulls.SetClosedHandler(func(string) { close(stopped) })
	if err := l.pulls.Drain(); err != nil {
		// The connection is gone and will deliver nothing more.
		none := make(chan struct{})
		close(none)
		return none
	}
	return stopped
}

// Settle waits until the broker has acknowledged everything that was handed over, or ctx
// ends. It must come when nothing is handed over any more.
func (l *Lane) Settle(ctx context.Context) {
	settled := make(chan struct{})
	l.mu.Lock()
	l.settled = settled
	l.settle()
	l.mu.Unlock()
	select {
	case <-settled:
	case <-ctx.Done():
	}
}

// Close leaves the lane. What still waits in it is for others to take.
func (l *Lane) Close() {
	l.cancel()
	l.tended.Wait()
	l.mu.Lock()
	for token := range l.handed {
		l.drop(token)
	}
	l.mu.Unlock()
	_ = l.notes.Unsubscribe() // fails only on a closed connection
	_ = l.pulls.Unsubscribe()
}
