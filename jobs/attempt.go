package jobs

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
)

// The causes with which the context of an attempt ends before its work does.
var (
	// ErrCanceled says that somebody canceled the job, or that another attempt has ended it.
	ErrCanceled = errors.New("the job was canceled")
	// ErrLost says that the job is another instance's now, because this one was silent
	// for too long.
	ErrLost = errors.New("the job was given to another instance")
	// errRunLimit says that the attempt took longer than the job allows.
	errRunLimit = errors.New("the job's run limit has passed")
)

// grace is how long an attempt runs before its record says so. Most jobs are over by then
// and write only one record.
const grace = 50 * time.Millisecond

// Attempt is one execution of a job, in the hands of this instance. Whoever gets one from
// a [Runner] calls Start, and then exactly one of Succeed, Fail and HandBack; without
// Start only Fail and HandBack.
type Attempt struct {
	runner   *Runner
	queue    *queue
	ref      contract.JobRef
	message  *nats.Msg
	options  contract.JobOptions
	sequence uint64 // of the message
	delivery uint64 // how often it was delivered
	queued   time.Time
	arrived  time.Time
	more     bool   // others waited behind it at the broker
	fault    error  // of the options, which then are the defaults, or of what it follows
	gathered []byte // the request, in place of the message's body; nil for most jobs

	stop     atomic.Pointer[context.CancelCauseFunc] // ends the work; nil before Start
	ending   atomic.Pointer[error]                   // why the work should end
	started  time.Time
	progress atomic.Pointer[contract.Progress]

	writing  sync.Mutex // one write of the record at a time
	record   *record
	ended    bool // the attempt has ended; guarded by writing
	reported *contract.Progress
	lines    *Lines // nil unless the job is a batch that is being done
}

// Ref names the job.
func (a *Attempt) Ref() contract.JobRef { return a.ref }

// Message is what the broker holds of the job: its body is the request. It must not be
// changed or answered. For a job that follows a batch the body is a [contract.Gathered].
func (a *Attempt) Message() *nats.Msg {
	if a.gathered != nil {
		return &nats.Msg{Subject: a.message.Subject, Reply: a.message.Reply, Header: a.message.Header, Data: a.gathered}
	}
	return a.message
}

// Options say how the job is to be done, with defaults in place.
func (a *Attempt) Options() contract.JobOptions { return a.options }

// Queued is when the job began to wait for this attempt.
func (a *Attempt) Queued() time.Time { return a.queued }

// Start begins the work and returns the context for it, which also ends when the job is
// canceled, is lost to another instance, or takes too long; its cause says which. The
// function gives the context up, after the attempt has ended.
func (a *Attempt) Start(ctx context.Context) (context.Context, func()) {
	ctx, stop := context.WithCancelCause(ctx)
	limit := time.AfterFunc(a.options.RunLimit, func() { stop(errRunLimit) })
	announce := time.AfterFunc(grace, func() { a.runner.spawn(func() { a.announce(context.WithoutCancel(ctx)) }) })
	a.writing.Lock()
	a.begin()
	a.writing.Unlock()
	a.stop.Store(&stop)
	if cause := a.ending.Load(); cause != nil {
		stop(*cause)
	}
	if a.delivery > 1 {
		// An attempt before this one may have ended its instance before it could be
		// counted. This one is counted before it can.
		a.announce(context.WithoutCancel(ctx))
	}
	return ctx, func() {
		limit.Stop()
		announce.Stop()
		stop(nil)
	}
}

// interrupt ends the work for a reason.
func (a *Attempt) interrupt(cause error) {
	a.ending.CompareAndSwap(nil, &cause)
	if stop := a.stop.Load(); stop != nil {
		(*stop)(cause)
	}
}

// begin makes the record that of a running job. The lock is held.
func (a *Attempt) begin() {
	now := time.Now().UTC()
	a.started = now
	r := a.record
	if r.State == "" {
		r.Job = contract.Job{
			ID: a.ref.ID(), Service: a.ref.Service, Operation: a.ref.Operation,
			Class: a.options.Class, Created: a.queued, TraceID: traceID(a.message.Header),
			Schedule: a.message.Header.Get(contract.HeaderSchedule),
		}
		describeBatch(&r.Job, a.ref, a.options)
		r.Payload, r.Upload = payloadOf(a.message), uploadOf(a.message.Header.Get, a.message.Data)
	}
	r.State = contract.JobRunning
	r.Attempt++
	r.Instance = a.runner.cfg.Instance
	r.Started = now.Truncate(time.Microsecond)
	r.QueueMS = float64(now.Sub(a.queued).Microseconds()) / 1000
	r.NotBefore, r.Progress, r.Error, r.Result = time.Time{}, nil, nil, nil
	r.Request, r.Options = nil, nil
	r.Work, r.Delivery = a.sequence, a.delivery
}

// Report notes how far the work has come. It is stored from time to time.
func (a *Attempt) Report(p contract.Progress) { a.progress.Store(&p) }

// announce writes that the job is running, or how far it has come, unless it has ended.
func (a *Attempt) announce(ctx context.Context) {
	a.writing.Lock()
	defer a.writing.Unlock()
	if a.ended {
		return
	}
	if p := a.progress.Load(); p != nil {
		a.reported, a.record.Progress = p, p
	}
	if a.lines != nil {
		if err := a.lines.keep(ctx); err != nil {
			return // the end of the work comes with its reason
		}
	}
	if err := a.commit(ctx, 0); err != nil {
		a.interrupt(err)
	}
}

// hasNews reports whether there is progress that was not stored.
func (a *Attempt) hasNews() bool {
	if !a.writing.TryLock() {
		return false // it is being stored
	}
	defer a.writing.Unlock()
	return !a.ended && (a.progress.Load() != a.reported || a.lines != nil && a.lines.dirty)
}

// Fail ends the attempt with an error of the work under the context. One that can pass,
// while the job has attempts left, makes it wait for another; any other ends the job.
func (a *Attempt) Fail(ctx context.Context, err error) {
	f := contract.FromError(err)
	if errors.Is(context.Cause(ctx), errRunLimit) {
		f = contract.Errorf(contract.CodeDeadlineExceeded, "the job ran longer than its run limit of %s; allow more with the header %s", a.options.RunLimit, contract.HeaderRunLimit)
	}
	a.end(ctx, func() outcome {
		if a.started.IsZero() {
			a.begin()
		}
		a.record.Error = f
		if canPass(f.Code) && a.record.Attempt < a.options.Attempts {
			a.record.State = contract.JobQueued
			delay := max(Backoff(a.record.Attempt), f.RetryAfter)
			a.record.NotBefore = time.Now().UTC().Add(delay).Truncate(time.Microsecond)
			return outcome{delay: delay, again: true}
		}
		a.record.State = contract.JobFailed
		return a.close()
	})
}

// exhausted ends a job whose attempts are used up, the last one by an instance that was
// lost.
func (a *Attempt) exhausted(ctx context.Context) {
	a.end(ctx, func() outcome {
		a.record.State = contract.JobFailed
		a.record.Error = contract.Errorf(contract.CodeUnavailable, "the instance that worked on it was lost, in attempt %d of %d", a.record.Attempt, a.options.Attempts)
		a.record.Work, a.record.Delivery = a.sequence, a.delivery
		return a.close()
	})
}

// close makes the record that of a job that has ended without success. The lock is held.
func (a *Attempt) close() outcome {
	a.record.Finished = time.Now().UTC().Truncate(time.Microsecond)
	a.record.keep(a.message)
	return outcome{ttl: a.options.Retention + recordKept}
}

// HandBack gives the job to another instance because this one shuts down. The attempt
// does not count.
func (a *Attempt) HandBack(ctx context.Context) {
	a.writing.Lock()
	known := a.record.revision > 0 && !a.started.IsZero()
	a.writing.Unlock()
	if !known {
		a.writing.Lock()
		a.ended = true
		a.writing.Unlock()
		a.runner.finished(a, nak)
		return
	}
	a.end(ctx, func() outcome {
		a.record.State = contract.JobQueued
		a.record.Attempt--
		a.record.Progress = nil
		return outcome{again: true}
	})
}

// outcome says what becomes of a job at the end of an attempt.
type outcome struct {
	again bool          // it is delivered again, after the delay
	delay time.Duration // before that
	ttl   time.Duration // of the record
}

// end ends the attempt: it makes the record what decide says, commits it and tells the
// broker. Of a job that was canceled or lost nothing is written.
func (a *Attempt) end(ctx context.Context, decide func() outcome) {
	ctx = context.WithoutCancel(ctx)
	a.writing.Lock()
	defer a.writing.Unlock()
	if a.ended {
		return
	}
	a.ended = true
	a.keepLines(ctx)
	o := decide()
	a.runner.note(a)
	switch err := a.commit(ctx, o.ttl); {
	case errors.Is(err, ErrCanceled) && a.options.Items == 0:
		a.runner.finished(a, ack) // it has ended, and whoever did that may not have come to this
	case err != nil:
		a.runner.finished(a, "") // it is not ours, and must not be acknowledged
	case o.again:
		a.runner.finished(a, nakAfter(o.delay))
	default:
		a.settle(ctx)
	}
}

// keepLines stores what there is of a batch, so that it is not done again.
func (a *Attempt) keepLines(ctx context.Context) {
	if a.lines == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	if err := a.lines.keep(ctx); err != nil {
		a.runner.cfg.Log.WarnContext(ctx, "store lines of batch", "job", a.ref.ID(), "error", err)
	}
}

// settle lets go of a job that has ended, once all is done that comes after that. If that
// fails the message comes again.
func (a *Attempt) settle(ctx context.Context) {
	if err := a.runner.store.settle(ctx, a.ref, a.record); err != nil {
		a.runner.cfg.Log.WarnContext(ctx, "hand on what a batch left", "job", a.ref.ID(), "error", err)
		a.runner.finished(a, nakAfter(firstBackoff))
		return
	}
	a.runner.finished(a, ack)
}

// Postpone lets a job that has not begun wait for the time, here or elsewhere.
func (a *Attempt) Postpone(wait time.Duration) {
	a.writing.Lock()
	a.ended = true
	a.writing.Unlock()
	a.runner.finished(a, nakAfter(wait))
}
