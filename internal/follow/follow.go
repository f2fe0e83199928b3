// Package follow follows one durable job from change to change, whatever becomes of the
// connection meanwhile. It does not read jobs: its caller does, from the broker as package
// jobs or from the jobs service as package client, and both have the same sequence.
//
//	for event, err := range follow.Job(ctx, nc, ref, look) {
//		…
//	}
package follow

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
)

const (
	// checkEvery is how often a job is looked at of which nothing is heard: the word of a
	// change can be lost between two nodes of the broker without our connection noticing.
	checkEvery = 15 * time.Second

	// pause is the wait before a job is looked at again that could not be.
	pause = 250 * time.Millisecond
)

// Event is the document of a job after a change.
type Event struct {
	Job contract.Job
	// Revision orders the events of all jobs; 0 for a job that has no record yet.
	Revision uint64
}

// Job returns the changes of a job from now on, beginning with what it is now, until it
// has ended; that event is the last one. A reader that is slow misses changes in between,
// never the last one. The function reads what the job is now.
//
// An error ends the sequence: that of the first look, later ones but for
// [contract.CodeUnavailable], which is waited out, and that of ctx.
func Job(ctx context.Context, nc *nats.Conn, ref contract.JobRef, look func(context.Context) (Event, error)) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		w := watch{nc: nc, look: look, changes: make(chan *nats.Msg, 1)}
		// Heard before it is looked at, so that nothing is missed in between.
		sub, err := nc.Subscribe(ref.EventSubject(), w.hear)
		if err != nil {
			yield(Event{}, contract.Errorf(contract.CodeUnavailable, "the broker cannot be reached").WithCause(err))
			return
		}
		defer func() { _ = sub.Unsubscribe() }() // fails only on a closed connection
		w.connected = nc.StatusChanged(nats.CONNECTED, nats.CLOSED)
		defer nc.RemoveStatusListener(w.connected)
		check := time.NewTicker(checkEvery)
		defer check.Stop()
		w.check = check.C

		event, err := look(ctx)
		for last := (Event{}); err == nil; event, err = w.next(ctx) {
			if last.Job.ID != "" && event.Revision <= last.Revision {
				continue // it says nothing new, and may be older than what is known
			}
			if !yield(event, nil) || event.Job.State.Terminal() {
				return
			}
			last = event
		}
		yield(Event{}, err)
	}
}

// watch is what one sequence listens to.
type watch struct {
	nc        *nats.Conn
	look      func(context.Context) (Event, error)
	changes   chan *nats.Msg // the last change that was heard
	connected chan nats.Status
	check     <-chan time.Time
}

// hear puts a change in the place of an older one. It is called by one goroutine.
func (w *watch) hear(m *nats.Msg) {
	select {
	case <-w.changes:
	default:
	}
	w.changes <- m
}

// next waits for what may be news.
func (w *watch) next(ctx context.Context) (Event, error) {
	select {
	case m := <-w.changes:
		return read(m)
	case <-w.connected: // what happened while the broker was away was not heard
	case <-w.check:
	case <-ctx.Done():
		return Event{}, contract.FromError(ctx.Err())
	}
	for {
		event, err := w.look(ctx)
		if !errors.Is(err, contract.CodeUnavailable) || w.nc.IsClosed() {
			return event, err
		}
		select {
		case m := <-w.changes:
			return read(m)
		case <-time.After(pause):
		case <-ctx.Done():
			return Event{}, contract.FromError(ctx.Err())
		}
	}
}

// read reads a record as the broker published it.
func read(m *nats.Msg) (Event, error) {
	var e Event
	if err := json.Unmarshal(m.Data, &e.Job); err != nil {
		return e, contract.Errorf(contract.CodeNotFound, "the record of the job was deleted").WithCause(err)
	}
	var err error
	if e.Revision, err = strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64); err != nil {
		return e, contract.FromError(err)
	}
	return e, nil
}
