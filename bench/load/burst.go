package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/bench/figure"
)

// Burst says which requests to send. It travels as JSON to the process that sends.
type Burst struct {
	// Target is the subject.
	Target string
	// Bodies are the bodies of the requests.
	Bodies []string
	// Pace is the time from one request to the next one, whatever comes back; zero sends
	// all at once.
	Pace time.Duration
	// Timeout is the time that each request may take; zero leaves it to the service.
	Timeout time.Duration
}

// Outcome is what came of a burst.
type Outcome struct {
	// Elapsed is the time from the first request to the last result.
	Elapsed time.Duration
	// Good counts results in time, Late those out of it, Refused requests for which there
	// was no room, Failed other errors, and Missing requests that were never answered.
	Good, Late, Refused, Failed, Missing int
	// RefusedP99 and GoodP99 are percentiles of the time to the answer, RefusedMost is
	// the longest time to a refusal.
	RefusedP99, RefusedMost, GoodP99 time.Duration
}

// answer is what came for one request.
type answer struct {
	place   int
	after   time.Time
	refused bool
	failed  bool
}

// Send sends a burst over one connection and waits until everything is answered.
func Send(ctx context.Context, nc *nats.Conn, b Burst) (Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(len(b.Bodies))*b.Pace+b.Timeout+workTime)
	defer cancel()
	answers := make(chan answer, len(b.Bodies))
	inbox := nc.NewInbox()
	sub, err := nc.Subscribe(inbox+".*", func(m *nats.Msg) {
		a := answer{after: time.Now()}
		a.place, _ = strconv.Atoi(m.Subject[len(inbox)+1:]) // we made the subjects
		code := m.Header.Get("Nats-Service-Error-Code")
		a.refused, a.failed = code == "429", code != "" && code != "429" || len(m.Data) == 0
		select {
		case answers <- a:
		default: // answered twice
		}
	})
	if err != nil {
		return Outcome{}, fmt.Errorf("subscribe to replies: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }() // fails only if the connection is gone
	sent, err := sendAll(ctx, nc, b, inbox)
	if err != nil {
		return Outcome{}, err
	}
	return hearAll(ctx, b, sent, answers)
}

// sendAll sends the requests at their times and returns those.
func sendAll(ctx context.Context, nc *nats.Conn, b Burst, inbox string) ([]time.Time, error) {
	sent := make([]time.Time, len(b.Bodies))
	start := time.Now()
	for i, body := range b.Bodies {
		if wait := time.Until(start.Add(time.Duration(i) * b.Pace)); wait > 0 {
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}
		m := &nats.Msg{Subject: b.Target, Reply: inbox + "." + strconv.Itoa(i), Data: []byte(body)}
		if b.Timeout > 0 {
			m.Header = nats.Header{"Heddle-Timeout": {b.Timeout.String()}}
		}
		sent[i] = time.Now()
		if err := nc.PublishMsg(m); err != nil {
			return nil, fmt.Errorf("send request: %w", err)
		}
	}
	return sent, nil
}

// hearAll waits for the answers, those that are missing until ctx ends.
func hearAll(ctx context.Context, b Burst, sent []time.Time, answers <-chan answer) (Outcome, error) {
	var o Outcome
	var good, refused []time.Duration
	for left := len(sent); left > 0; left-- {
		var a answer
		select {
		case a = <-answers:
		case <-ctx.Done():
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return Outcome{}, context.Cause(ctx)
			}
			o.Missing = left
			return o, nil
		}
		took := a.after.Sub(sent[a.place])
		switch {
		case a.refused:
			refused = append(refused, took)
		case a.failed:
			o.Failed++
		case b.Timeout > 0 && took > b.Timeout:
			o.Late++
		default:
			good = append(good, took)
			o.Elapsed = max(o.Elapsed, a.after.Sub(sent[0]))
		}
	}
	slices.Sort(good)
	slices.Sort(refused)
	o.Good, o.Refused = len(good), len(refused)
	o.GoodP99, o.RefusedP99 = figure.Percentile(good, 0.99), figure.Percentile(refused, 0.99)
	o.RefusedMost = figure.Percentile(refused, 1)
	return o, nil
}
