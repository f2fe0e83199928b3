package load

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
)

// Pipeline sends requests over one connection as cheaply as the library can: one
// goroutine sends and receives all of them. It returns an error when a reply is an
// error or missing.
func Pipeline(ctx context.Context, nc *nats.Conn, run Run) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, run.Duration+lateness)
	defer cancel()
	replies := make(chan *nats.Msg, run.InFlight)
	inbox := nc.NewInbox()
	sub, err := nc.ChanSubscribe(inbox+".*", replies)
	if err != nil {
		return Result{}, fmt.Errorf("subscribe to replies: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }() // fails only if the connection is gone
	l := pipeline{nc: nc, run: run, inbox: inbox + ".", sent: make([]time.Time, run.InFlight)}
	return l.loop(ctx, replies)
}

// pipeline is one run of [Pipeline].
type pipeline struct {
	nc        *nats.Conn
	run       Run
	inbox     string
	sent      []time.Time // when the request of each place in flight was sent
	latencies []time.Duration
}

func (l *pipeline) loop(ctx context.Context, replies <-chan *nats.Msg) (Result, error) {
	start := time.Now()
	for place := range l.sent {
		if err := l.send(place, start); err != nil {
			return Result{}, err
		}
	}
	for open := l.run.InFlight; open > 0; {
		var m *nats.Msg
		select {
		case m = <-replies:
		case <-ctx.Done():
			return Result{}, fmt.Errorf("%d replies are missing: %w", open, context.Cause(ctx))
		}
		place, err := l.place(m)
		if err != nil {
			return Result{}, err
		}
		now := time.Now()
		l.latencies = append(l.latencies, now.Sub(l.sent[place]))
		if now.Sub(start) >= l.run.Duration {
			open--
		} else if err := l.send(place, now); err != nil {
			return Result{}, err
		}
	}
	return summarize(l.latencies, time.Since(start)), nil
}

func (l *pipeline) send(place int, now time.Time) error {
	l.sent[place] = now
	if err := l.nc.PublishRequest(l.run.Target, l.inbox+strconv.Itoa(place), []byte(l.run.Body)); err != nil {
		return fmt.Errorf("send request: %w", err)
	}
	return nil
}

// place returns which request in flight a message answers.
func (l *pipeline) place(m *nats.Msg) (int, error) {
	if err := check(l.run.Target, m); err != nil {
		return 0, err
	}
	place, err := strconv.Atoi(m.Subject[len(l.inbox):])
	if err != nil {
		return 0, fmt.Errorf("a reply came to the subject %s", m.Subject)
	}
	return place, nil
}

// Requests sends requests over one connection as programs do: each place in flight is
// a goroutine that calls [nats.Conn.Request]. It returns an error when a reply is an
// error or missing.
func Requests(ctx context.Context, nc *nats.Conn, run Run) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, run.Duration+lateness)
	defer cancel()
	return together(run.InFlight, func(start time.Time) ([]time.Duration, error) {
		return ask(ctx, nc, run, start.Add(run.Duration))
	})
}

// ask sends one request after the other until the time is over.
func ask(ctx context.Context, nc *nats.Conn, run Run, end time.Time) (latencies []time.Duration, err error) {
	for sent := time.Now(); sent.Before(end); {
		if ctx.Err() != nil {
			return latencies, context.Cause(ctx)
		}
		m, err := nc.Request(run.Target, []byte(run.Body), lateness)
		if err != nil {
			return latencies, fmt.Errorf("request %s: %w", run.Target, err)
		}
		if err := check(run.Target, m); err != nil {
			return latencies, err
		}
		now := time.Now()
		latencies = append(latencies, now.Sub(sent))
		sent = now
	}
	return latencies, nil
}

// check returns an error unless a message is a result.
func check(subject string, m *nats.Msg) error {
	if len(m.Data) == 0 || m.Header["Nats-Service-Error"] != nil {
		return fmt.Errorf("%s answered an error: %v %s", subject, m.Header, m.Data)
	}
	return nil
}
