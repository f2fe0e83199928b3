package ntt

import (
	"context"
	"errors"
	"fmt"
)

// block is the number of points that a loop works on between two looks at the context:
// less than a millisecond, and a few if it touches memory for the first time.
const block = 1 << 15

// stopped reports whether the context has ended.
func stopped(ctx context.Context) bool { return ctx.Err() != nil }

// inBlocks calls fn for consecutive parts of [0, n), until the context ends.
func inBlocks(ctx context.Context, n int, fn func(lo, hi int)) {
	for lo := 0; lo < n && !stopped(ctx); lo += block {
		fn(lo, min(lo+block, n))
	}
}

// stopCause returns the error of ctx, and the cause if it has another one, or nil if it
// has not ended.
func stopCause(ctx context.Context, operation string) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	switch {
	case err == nil:
		return nil
	case errors.Is(cause, err):
		return fmt.Errorf("%s: %w", operation, cause)
	default:
		return fmt.Errorf("%s: %w: %w", operation, err, cause)
	}
}
