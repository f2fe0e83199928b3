package host

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// gate admits the heavy requests of one service to its slots. Requests wait in order
// of arrival, and only so many of them.
type gate struct {
	slots    int64
	queue    int64
	admitted atomic.Int64 // waiting and running
	busy     atomic.Int64 // running
	waited   atomic.Int64 // nanoseconds, all requests so far
	free     *semaphore.Weighted
}

func newGate(slots, queue int) *gate {
	return &gate{slots: int64(slots), queue: int64(queue), free: semaphore.NewWeighted(int64(slots))}
}

// enter reports whether there is room for one more request. Each enter that returns
// true is followed by one leave.
func (g *gate) enter() bool {
	if g.admitted.Add(1) > g.slots+g.queue {
		g.admitted.Add(-1)
		return false
	}
	return true
}

func (g *gate) leave() { g.admitted.Add(-1) }

// acquire takes a slot, waiting for one until ctx ends.
func (g *gate) acquire(ctx context.Context) error {
	start := time.Now()
	err := g.free.Acquire(ctx, 1)
	g.waited.Add(int64(time.Since(start)))
	if err == nil {
		g.busy.Add(1)
	}
	return err
}

func (g *gate) release() {
	g.busy.Add(-1)
	g.free.Release(1)
}

// waiting returns the number of requests without a slot.
func (g *gate) waiting() int64 { return max(0, g.admitted.Load()-g.busy.Load()) }
