package client

import (
	"context"
	"sync"

	"github.com/seed-649d3d38/heddle/contract"
)

// Future is a result that may not be there yet. It gets its result or its error once,
// and keeps it. Futures are made by [Go] and are safe for concurrent use.
type Future[T any] struct {
	done  chan struct{}
	value T // written before done is closed, as is err
	err   error

	mu        sync.Mutex
	callbacks []func(T, error) // guarded by mu; none once done is closed
}

// Go runs f on in, in a goroutine of the group, and returns its result to come. While
// the group is full Go waits, so that no more work is begun than the group allows; if
// ctx ends first, f does not run and the future has the error of ctx. Ending ctx later
// cancels f.
//
// The place in the group is free again when f returns. A function that starts another
// in its own group and waits for it may wait for ever; a callback may do so.
func Go[In, Out any](ctx context.Context, g *Group, f func(context.Context, In) (Out, error), in In) *Future[Out] {
	if err := g.enter(ctx); err != nil {
		return failed[Out](err)
	}
	future := &Future[Out]{done: make(chan struct{})}
	g.running.Go(func() {
		value, err := f(ctx, in)
		g.leave()
		future.finish(value, err)
	})
	return future
}

// Done is closed when the result is there.
func (f *Future[T]) Done() <-chan struct{} { return f.done }

// Wait returns the result, or an [*contract.Error] when ctx ends before it is there:
// [contract.CodeDeadlineExceeded] or [contract.CodeCanceled]. That ends the waiting
// only, not the work.
func (f *Future[T]) Wait(ctx context.Context) (T, error) {
	select {
	case <-f.done:
		return f.value, f.err
	default:
	}
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		var none T
		return none, contract.FromError(ctx.Err())
	}
}

// Then has the callback run once, with the result or the error, and returns the future.
// Callbacks of one future run one after another in the order of their registration, in
// the goroutine of the work, which has given its place in the group back: a slow one
// holds up no other work, but [Group.Wait] waits for it. A callback that comes after
// the result runs before Then returns.
func (f *Future[T]) Then(callback func(T, error)) *Future[T] {
	f.mu.Lock()
	select {
	case <-f.done:
		f.mu.Unlock()
		callback(f.value, f.err)
	default:
		f.callbacks = append(f.callbacks, callback)
		f.mu.Unlock()
	}
	return f
}

// finish sets the result and runs the callbacks.
func (f *Future[T]) finish(value T, err error) {
	f.mu.Lock()
	f.value, f.err = value, err
	callbacks := f.callbacks
	f.callbacks = nil
	close(f.done)
	f.mu.Unlock()
	for _, callback := range callbacks {
		callback(value, err)
	}
}

// failed returns a future that has an error already.
func failed[T any](err error) *Future[T] {
	f := &Future[T]{done: make(chan struct{}), err: err}
	close(f.done)
	return f
}
