package lane

import (
	"encoding/json"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/contract"
)

// The two kinds of notes on a handed request.
const (
	noteStored = "stored" // the broker's acknowledgement
	noteTaken  = "taken"  // an instance has a slot for it
)

// Hand hands a request over to any instance. It returns false, and does nothing, if
// there is no lane now.
func (l *Lane) Hand(e Entry) bool {
	now := time.Now()
	l.mu.Lock()
	if !l.open || !l.nc.IsConnected() {
		l.mu.Unlock()
		return false
	}
	token := strconv.FormatUint(l.next, 36)
	l.next++
	left := e.Deadline.Sub(now)
	l.handed[token] = &handed{Entry: e, since: now, expiry: time.AfterFunc(left, func() { l.expire(token) })}
	l.mu.Unlock()

	if err := l.nc.PublishMsg(l.wrap(e, token, left)); err != nil {
		return l.forget(token) == nil // false if it is still ours
	}
	return true
}

// serverPrefix begins the names of headers that JetStream obeys: callers could have their
// requests dropped as duplicates with them, or the lane's contents replaced.
const serverPrefix = "Nats-"

// wrap returns the request as it travels through the lane.
func (l *Lane) wrap(e Entry, token string, left time.Duration) *nats.Msg {
	h := make(nats.Header, len(e.Message.Header)+4)
	for name, values := range e.Message.Header {
		if !strings.HasPrefix(name, serverPrefix) {
			h[name] = values
		}
	}
	h[contract.HeaderReply] = []string{e.Message.Reply}
	h[contract.HeaderTaken] = []string{l.noteSubject(token, noteTaken)}
	h[contract.HeaderTimeout] = []string{contract.FormatTimeout(left)}
	// A request that nobody waits for frees its room. The broker counts in seconds.
	h[jetstream.MsgTTLHeader] = []string{strconv.Itoa(int(left/time.Second) + 2)}
	return &nats.Msg{
		Subject: contract.LaneSubject(l.cfg.Service, e.Operation),
		Reply:   l.noteSubject(token, noteStored),
		Header:  h,
		Data:    e.Message.Data,
	}
}

// unwrap returns the request in a message of the lane.
func (l *Lane) unwrap(m *nats.Msg) Entry {
	h := maps.Clone(m.Header)
	e := Entry{
		Message:   &nats.Msg{Subject: m.Subject, Reply: h.Get(contract.HeaderReply), Header: h, Data: m.Data},
		Operation: token(m.Subject),
		taken:     h.Get(contract.HeaderTaken),
		ack:       m.Reply,
	}
	e.Pure = l.cfg.Pure(e.Operation)
	left, err := contract.ParseTimeout(h.Get(contract.HeaderTimeout))
	if err != nil {
		left = 0 // it was above 0 when it was handed over
	}
	e.Arrived = time.Now()
	if meta, err := m.Metadata(); err == nil {
		e.behind = meta.NumPending > 0
		if meta.Timestamp.Before(e.Arrived) {
			e.Arrived = meta.Timestamp // by the broker's clock
		}
	}
	e.Deadline = e.Arrived.Add(left)
	h.Del(contract.HeaderReply)
	h.Del(contract.HeaderTaken)
	h.Del(contract.HeaderTimeout)
	return e
}

// forget stops keeping a request and returns it, nil if it is not kept any more.
func (l *Lane) forget(token string) *handed {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.drop(token)
	l.settle()
	return h
}

// drop is forget for holders of the lock, who settle afterwards.
func (l *Lane) drop(token string) *handed {
	h := l.handed[token]
	if h != nil {
		h.expiry.Stop()
		delete(l.handed, token)
		l.tellIdle()
	}
	return h
}

// expire tells the caller of a request that nobody took in time.
func (l *Lane) expire(token string) {
	if h := l.forget(token); h != nil {
		l.cfg.Refuse(h.Entry, Expired)
	}
}

// settle tells whoever waits that nothing handed is left. The lock is held.
func (l *Lane) settle() {
	if l.settled != nil && len(l.handed) == 0 {
		close(l.settled)
		l.settled = nil
	}
}

// onNote hears what became of a handed request.
func (l *Lane) onNote(m *nats.Msg) {
	subject := strings.TrimPrefix(m.Subject, l.inbox+".note.")
	token, kind, _ := strings.Cut(subject, ".")
	if kind == noteTaken {
		l.grant(token, m)
		return
	}
	switch code := storeError(m); code {
	case 0:
		l.mu.Lock()
		if h := l.handed[token]; h != nil {
			h.stored = true
		}
		l.mu.Unlock()
	case storeFailed:
		if h := l.forget(token); h != nil {
			l.cfg.Refuse(h.Entry, Full)
		}
	default:
		l.lose()
		if h := l.forget(token); h != nil {
			l.cfg.Keep(h.Entry) // it was not stored, so it cannot run elsewhere
		}
	}
}

// grant gives a request away that was taken. A taker that wants to know whether it may
// run the request hears yes once.
func (l *Lane) grant(token string, m *nats.Msg) {
	answer := granted
	if l.forget(token) == nil {
		answer = denied
	}
	if m.Reply != "" {
		l.publish(m.Reply, answer)
	}
}

const (
	// storeFailed is the server's code for a message that a stream's limits refuse.
	storeFailed = 10077
	// noStream stands for the status of a subject that no stream listens on.
	noStream = -1
)

// storeError returns the server's code if it did not store a message, otherwise 0.
func storeError(m *nats.Msg) int {
	if len(m.Data) == 0 {
		return noStream // a status: no responders
	}
	var ack struct {
		Error struct {
			ErrCode int `json:"err_code"`
		} `json:"error"`
	}
	if err := json.Unmarshal(m.Data, &ack); err != nil {
		return noStream
	}
	return ack.Error.ErrCode
}

// lose puts the lane out of use and asks for a look at it.
func (l *Lane) lose() {
	l.mu.Lock()
	l.open = false
	l.mu.Unlock()
	l.look()
}
