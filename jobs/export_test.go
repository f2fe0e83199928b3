package jobs

import (
	"context"
	"time"
)

// KeepIdle sets how long the consumers that the store makes are kept without jobs.
func (s *Store) KeepIdle(d time.Duration) { s.idle = d }

// StopLooking has the runner find no tenant by itself any more.
func (r *Runner) StopLooking() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tenants.lookAt = time.Now().Add(24 * time.Hour)
}

// Hurry has what was written a moment ago count as left half-written.
func (s *Store) Hurry() { s.settled = 0 }

// KeepOnce makes the passes that are due.
func (s *Store) KeepOnce(ctx context.Context, services ...string) error {
	made := false
	return s.keepOnce(ctx, services, &made)
}
