package ntt

import (
	"context"
	"errors"
	"fmt"
)

// stopper tells the loops between two blocks whether to go on. A transform is
// cut so that less than a millisecond passes between two looks.
type stopper struct{ done <-chan struct{} }

func newStopper(ctx context.Context) *stopper { return &stopper{ctx.Done()} }

// stopped reports whether the context has ended.
func (s *stopper) stopped() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
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
