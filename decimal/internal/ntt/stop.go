package ntt

import (
	"context"
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

// stopCause returns the reason why ctx ended, or nil.
func stopCause(ctx context.Context, operation string) error {
	if ctx.Err() == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", operation, context.Cause(ctx))
}
