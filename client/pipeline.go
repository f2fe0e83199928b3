package client

import (
	"context"
	"iter"
	"sync"

	"github.com/seed-649d3d38/heddle/contract"
)

// Pipeline is a sequence of values that [From] begins and every [Stage] works on. A
// pipeline is a plan: stages run at once, each in goroutines of its own, while somebody
// ranges over the sequence, and they have ended when the loop has, however it ends.
//
//	images := client.From(slices.Values(files))
//	parsed := client.Stage(images, 4, parse)
//	filtered := client.Stage(parsed, 4, client.Remote(c, filter))
//	for image, err := range filtered(ctx) {
//
// An error ends the sequence; it comes last. So does the end of ctx. A stage takes the
// next value only when it has room, so a slow stage slows the ones before it, and the
// number of values in the pipeline is bounded.
type Pipeline[T any] func(context.Context) iter.Seq2[T, error]

// From begins a pipeline with values that are there, or are made as they are needed.
func From[T any](values iter.Seq[T]) Pipeline[T] {
	return func(context.Context) iter.Seq2[T, error] {
		return func(yield func(T, error) bool) {
			for v := range values {
				if !yield(v, nil) {
					return
				}
			}
		}
	}
}

// Stage adds a stage that runs f on every value, as many at once as limit says, and
// hands the results on in the order of the values; as many results again may wait for
// their turn. Results that come before an error are handed on before it. A limit below 1
// counts as 1.
func Stage[In, Out any](p Pipeline[In], limit int, f func(context.Context, In) (Out, error)) Pipeline[Out] {
	return func(ctx context.Context) iter.Seq2[Out, error] {
		return func(yield func(Out, error) bool) {
			ctx, cancel := context.WithCancel(ctx)
			g := NewGroup(limit)
			begun := make(chan *Future[Out], cap(g.places))
			var feeder sync.WaitGroup
			feeder.Go(func() {
				defer close(begun)
				for in, err := range p(ctx) {
					if err != nil {
						send(ctx, begun, failed[Out](err))
						return
					}
					if !send(ctx, begun, Go(ctx, g, f, in)) {
						return
					}
				}
			})
			defer func() {
				cancel()
				feeder.Wait()
				g.Wait()
			}()
			for next := range begun {
				<-next.done
				if !yield(next.value, next.err) || next.err != nil {
					return
				}
			}
			end(ctx, yield)
		}
	}
}

// StageAsCompleted is [Stage] without the order: results are handed on as they come, and
// an error ends the sequence at once.
func StageAsCompleted[In, Out any](p Pipeline[In], limit int, f func(context.Context, In) (Out, error)) Pipeline[Out] {
	return func(ctx context.Context) iter.Seq2[Out, error] {
		return func(yield func(Out, error) bool) {
			ctx, cancel := context.WithCancel(ctx)
			g := NewGroup(limit)
			completed := make(chan outcome[Out], cap(g.places))
			// A place in the group is free when its result is handed over.
			work := func(ctx context.Context, in In) (bool, error) {
				value, err := f(ctx, in)
				return send(ctx, completed, outcome[Out]{value, err}), err
			}
			var feeder sync.WaitGroup
			feeder.Go(func() {
				defer close(completed)
				defer g.Wait()
				for in, err := range p(ctx) {
					if err != nil {
						send(ctx, completed, outcome[Out]{err: err})
						return
					}
					if Go(ctx, g, work, in); ctx.Err() != nil {
						return
					}
				}
			})
			defer func() {
				cancel()
				feeder.Wait()
			}()
			for next := range completed {
				if !yield(next.value, next.err) || next.err != nil {
					return
				}
			}
			end(ctx, yield)
		}
	}
}

// outcome is a result or an error.
type outcome[T any] struct {
	value T
	err   error
}

// send reports whether it sent the value before ctx ended.
func send[T any](ctx context.Context, to chan<- T, value T) bool {
	select {
	case to <- value:
		return true
	case <-ctx.Done():
		return false
	}
}

// end yields the error of ctx if that has ended, and so has cut the sequence short.
func end[T any](ctx context.Context, yield func(T, error) bool) {
	if err := ctx.Err(); err != nil {
		var none T
		yield(none, contract.FromError(err))
	}
}
