package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/jobs"
)

const (
	// heartbeat is the time between two signs of life in a stream of events, below the
	// idle time-outs of common proxies.
	heartbeat = 15 * time.Second

	// maxEventResult is the size in bytes of the largest result that comes with an event.
	maxEventResult = 4 << 10

	// mediaEvents is the media type of server-sent events.
	mediaEvents = "text/event-stream"
)

var typeEvents = []string{mediaEvents}

// change is an event of a job, or why there are no more.
type change struct {
	event jobs.Event
	err   error
}

// answerEvents answers with the changes of a job as server-sent events, beginning with
// what it is now, until it has ended.
func (j *jobRoutes) answerEvents(ctx context.Context, w http.ResponseWriter, r *http.Request, ref contract.JobRef) (int, error) {
	if _, acceptable := negotiate(acceptOf(r, mediaEvents), []string{mediaEvents}); !acceptable {
		return 0, contract.Errorf(contract.CodeNotAcceptable, "events are available as %s; accept it", mediaEvents)
	}
	known, hasSeen := lastEventID(r)
	watching, stop := context.WithCancel(ctx)
	changes := make(chan change)
	var watch sync.WaitGroup
	defer watch.Wait()
	defer stop()
	stay := j.onLeave(stop)
	defer stay()
	watch.Go(func() { j.watch(watching, ref, changes) })

	first, more := <-changes
	switch {
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case !more || watching.Err() != nil:
		return 0, leaving()
	case first.err != nil:
		return 0, first.err
	}
	seen := hasSeen && first.event.Revision <= known
	if seen && first.event.Job.State.Terminal() {
		// A browser takes this for the end, and any other answer for a reason to come again.
		w.WriteHeader(http.StatusNoContent)
		return http.StatusNoContent, nil
	}
	h := w.Header()
	h["Cache-Control"] = noStore
	h["Content-Type"] = typeEvents
	h["X-Accel-Buffering"] = []string{"no"} // proxies that know it pass events on at once
	w.WriteHeader(http.StatusOK)
	stream := newEventWriter(w)
	if seen {
		first.event = jobs.Event{} // a sign of life in its place
	}
	err := stream.run(first.event, changes, j.heartbeat)
	switch {
	case ctx.Err() != nil:
		return 0, &cutError{ctx.Err()}
	case err == nil, watching.Err() != nil: // in the second case the gateway leaves, and the reader comes again
		return http.StatusOK, nil
	default:
		return 0, &cutError{err}
	}
}

func leaving() error {
	e := contract.Errorf(contract.CodeUnavailable, "the gateway shuts down; try again")
	e.RetryAfter = time.Second
	return e
}

// lastEventID returns the revision of the event that the reader saw last, if it says so.
func lastEventID(r *http.Request) (revision uint64, ok bool) {
	revision, err := strconv.ParseUint(r.Header.Get("Last-Event-ID"), 10, 64)
	return revision, err == nil
}

// watch sends the changes of a job until it has ended or ctx ends; then it closes changes.
func (j *jobRoutes) watch(ctx context.Context, ref contract.JobRef, changes chan<- change) {
	defer close(changes)
	for event, err := range j.store.Watch(ctx, ref) {
		select {
		case changes <- change{event, err}:
		case <-ctx.Done():
			return
		}
	}
}

// eventWriter writes server-sent events. A reader that does not read them loses its
// connection after [stallTimeout].
type eventWriter struct {
	w       deadlineWriter
	scratch []byte
}

func newEventWriter(w http.ResponseWriter) *eventWriter {
	return &eventWriter{w: deadlineWriter{w, http.NewResponseController(w)}}
}

// run writes the event and all that follow, with signs of life between them.
func (e *eventWriter) run(event jobs.Event, changes <-chan change, every time.Duration) error {
	beat := time.NewTicker(every)
	defer beat.Stop()
	for {
		if err := e.write(event); err != nil {
			return contract.Errorf(contract.CodeCanceled, "the reader of the events has left").WithCause(err)
		}
		select {
		case next, more := <-changes:
			if !more {
				_ = e.w.control.SetWriteDeadline(time.Time{}) // the connection may be used again
				return nil
			}
			if next.err != nil {
				return next.err
			}
			event = next.event
		case <-beat.C:
			event = jobs.Event{}
		}
	}
}

// write writes an event; the zero value stands for a sign of life.
func (e *eventWriter) write(event jobs.Event) error {
	e.scratch = append(e.scratch[:0], ":\n\n"...)
	if event.Job.ID != "" {
		data, err := json.Marshal(withoutLargeResult(event.Job))
		if err != nil {
			return fmt.Errorf("encode event: %w", err)
		}
		e.scratch = fmt.Appendf(e.scratch[:0], "id: %d\nevent: job\ndata: %s\n\n", event.Revision, data)
	}
	if _, err := e.w.Write(e.scratch); err != nil {
		return err
	}
	if err := e.w.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// withoutLargeResult returns the document without a result that is too large for an event.
func withoutLargeResult(job contract.Job) contract.Job {
	if job.Result != nil && len(job.Result.Value)+len(job.Result.Text) > maxEventResult {
		described := *job.Result
		described.Value, described.Text = nil, ""
		job.Result = &described
	}
	return job
}
