package jobs

import "time"

// KeepIdle sets how long the consumers that the store makes are kept without jobs.
func (s *Store) KeepIdle(d time.Duration) { s.idle = d }

// StopLooking has the runner find no tenant by itself any more.
func (r *Runner) StopLooking() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tenants.lookAt = time.Now().Add(24 * time.Hour)
}
