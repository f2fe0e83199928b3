package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-649d3d38/heddle/internal/admin"
	"github.com/seed-649d3d38/heddle/internal/telemetry"
)

// Runtime is a program while it runs: its log and telemetry, its admin port, and the
// parts that were started, which it stops in reverse order. Parts are added by one
// goroutine before [Runtime.Wait].
type Runtime struct {
	// Log is where everything that operators should know goes.
	Log *slog.Logger
	// Telemetry makes spans and instruments.
	Telemetry *telemetry.Telemetry
	// Admin is where the admin port listens; nil if there is none.
	Admin net.Addr

	budget time.Duration
	parts  []part
	failed chan error
	phase  atomic.Int32

	mu     sync.Mutex // guards what follows, which the admin port reads
	checks []func() error
}

// The phases of a program's life.
const (
	starting int32 = iota
	running
	draining
)

// part is something that was started, and how it ends.
type part struct {
	name string
	stop func(context.Context) error
}

// OnStop adds a part, to be stopped after all parts that are added later.
func (r *Runtime) OnStop(name string, stop func(context.Context) error) {
	r.parts = append(r.parts, part{name, stop})
}

// OnReady adds a condition for readiness: a function that returns nil when its part
// can take requests.
func (r *Runtime) OnReady(check func() error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.checks = append(r.checks, check)
}

// Fail ends the program because a part ended by itself. Only the first failure counts.
func (r *Runtime) Fail(err error) {
	select {
	case r.failed <- err:
	default:
	}
}

// Serve adds an HTTP server that listens already. On stop it goes on serving for the time
// of linger, with readiness off and asking its clients to connect anew, which leads them
// elsewhere where somebody tells them of readiness; then it refuses connections, finishes
// the requests in flight and closes idle connections. Lingering is a part of the budget
// for stopping, and an error if it is all of it.
func (r *Runtime) Serve(name string, server *http.Server, l net.Listener, linger time.Duration) error {
	if linger > 0 && linger >= r.budget {
		return fmt.Errorf("%s: serving on for %s leaves nothing of the %s for stopping; use a longer --drain-timeout, or a shorter --drain-delay", name, linger, r.budget)
	}
	handler := server.Handler
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if r.phase.Load() == draining {
			// The server's own switch would close connections at once on which the next
			// request may be under way.
			w.Header().Set("Connection", "close")
		}
		handler.ServeHTTP(w, request)
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			r.Fail(fmt.Errorf("%s: serve: %w", name, err))
		}
	}()
	r.OnStop(name, func(ctx context.Context) error {
		select {
		case <-done: // it has failed
		case <-ctx.Done():
		case <-time.After(linger):
		}
		err := server.Shutdown(ctx)
		if err != nil {
			err = errors.Join(err, server.Close())
		}
		<-done
		return err
	})
	return nil
}

// checkReady reports the first reason why the program should get no requests.
func (r *Runtime) checkReady() error {
	switch r.phase.Load() {
	case starting:
		return errors.New("starting")
	case draining:
		return errors.New("draining")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, check := range r.checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// startAdmin serves health, readiness and metrics. The port opens with the first part
// and closes with the last, so that a probe can watch the program drain.
func (r *Runtime) startAdmin(ctx context.Context, address string) error {
	l, err := Listen(ctx, "--admin", address)
	if err != nil {
		return err
	}
	r.Admin = l.Addr()
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- admin.Serve(serving, l, admin.Handler(r.Telemetry.MetricsHandler(), r.checkReady)) }()
	r.OnStop("admin port", func(context.Context) error {
		stop()
		return <-done
	})
	return nil
}

// Listen opens a TCP address that a flag names. The error of a taken port names the
// flag, since that is what to change.
func Listen(ctx context.Context, flag, address string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w; choose another address with %s", address, cause(err), flag)
	}
	return l, nil
}

// cause strips what [net.OpError] repeats: the operation and the address.
func cause(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}

// Ready logs that the program serves, with attributes that say where.
func (r *Runtime) Ready(attributes ...any) {
	if r.Admin != nil {
		attributes = append(attributes, "admin", r.Admin.String())
	}
	r.Log.Info("ready", attributes...)
}

// Wait blocks until ctx ends or a part fails, then stops all parts within the budget.
// It returns the failure and every error of stopping.
func (r *Runtime) Wait(ctx context.Context) error {
	r.phase.Store(running)
	var failure error
	select {
	case <-ctx.Done():
		r.Log.Info("draining", "budget", r.budget)
	case failure = <-r.failed:
		r.Log.Error("draining after a failure", "error", failure)
	}
	return errors.Join(failure, r.stop(ctx))
}

// Abort stops what was started, because the rest could not be, and returns err with
// every error of stopping. If ctx has ended, the person asked for the stop and err is
// not a failure.
func (r *Runtime) Abort(ctx context.Context, err error) error {
	stopped := r.stop(ctx)
	if ctx.Err() != nil {
		return stopped
	}
	return errors.Join(err, stopped)
}

// stop stops all parts, the last one added first, within one budget. A part that fails
// to stop does not keep the others from it.
func (r *Runtime) stop(ctx context.Context) error {
	r.phase.Store(draining)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.budget)
	defer cancel()
	var errs []error
	for _, p := range slices.Backward(r.parts) {
		if err := p.stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", p.name, err))
		}
	}
	r.parts = nil
	return errors.Join(errs...)
}
