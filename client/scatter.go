package client

import (
	"context"
	"fmt"
	"iter"
	"slices"
)

// Scatter solves the parts of a problem in parallel, as many at once as limit says, and
// returns the results in the order of the parts. The first error cancels the rest, and
// Scatter returns it with the number of its part, or the cause of ctx if that has ended.
// It returns when nothing runs any more. A limit below 1 counts as 1.
//
// Parts are taken when there is room for them, so they may be made as they are needed.
// How much work a part should be is up to the caller: [slices.Chunk] cuts a slice into
// parts of any size.
//
//	rows, err := client.Scatter(ctx, 8, client.Remote(c, scale), slices.Values(requests))
func Scatter[Part, Result any](ctx context.Context, limit int, solve func(context.Context, Part) (Result, error), parts iter.Seq[Part]) ([]Result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	g := NewGroup(limit)
	defer func() {
		cancel(nil)
		g.Wait()
	}()
	var futures []*Future[Result]
	for part := range parts {
		if ctx.Err() != nil {
			break
		}
		n := len(futures)
		futures = append(futures, Go(ctx, g, solve, part).Then(func(_ Result, err error) {
			if err != nil {
				cancel(fmt.Errorf("part %d: %w", n, err)) // only the first one counts
			}
		}))
	}
	g.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	results := make([]Result, len(futures))
	for i, f := range futures {
		results[i] = f.value
	}
	return results, nil
}

// Gather combines values into one: neighbours in parallel, as many pairs at once as
// limit says, then the results of that, until one is left. Their order is kept, so merge
// must be associative and need not be commutative. No values make the zero value, one
// value is returned as it is. Errors are those of [Scatter].
func Gather[T any](ctx context.Context, limit int, merge func(context.Context, T, T) (T, error), values []T) (T, error) {
	for len(values) > 1 {
		merged, err := Scatter(ctx, limit, func(ctx context.Context, pair []T) (T, error) {
			if len(pair) == 1 {
				return pair[0], nil
			}
			return merge(ctx, pair[0], pair[1])
		}, slices.Chunk(values, 2))
		if err != nil {
			var none T
			return none, err
		}
		values = merged
	}
	if len(values) == 0 {
		var none T
		return none, nil
	}
	return values[0], nil
}
