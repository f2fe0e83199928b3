// Package work is the work that the services of the lane's measurements do, the same in
// all of them: it waits, or it keeps a core busy.
package work

import (
	"context"
	"time"
)

// Request asks for work. Its zero value asks for none.
type Request struct {
	// Wait is the time in milliseconds to wait.
	Wait float64 `json:"wait,omitempty"`
	// Turns is how often a core turns its loop, about a thousand million in a second.
	Turns int64 `json:"turns,omitempty"`
}

// Validate accepts every request.
func (Request) Validate() error { return nil }

// Result is the answer.
type Result struct {
	// Odd depends on every turn, so that none can be left out.
	Odd bool `json:"odd"`
}

// glance is how many turns pass between two looks at the context.
const glance = 1 << 20

// Do does the work until ctx ends.
func Do(ctx context.Context, r Request) (Result, error) {
	if r.Wait > 0 {
		timer := time.NewTimer(time.Duration(r.Wait * float64(time.Millisecond)))
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return Result{}, ctx.Err()
		}
	}
	sum := uint64(1)
	for left := r.Turns; left > 0; left -= glance {
		for range min(left, glance) {
			sum = sum*6364136223846793005 + 1442695040888963407
		}
		if ctx.Err() != nil {
			return Result{}, ctx.Err()
		}
	}
	return Result{Odd: sum&1 == 1}, nil
}
