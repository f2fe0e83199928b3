package host

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// gate admits the heavy requests of one service to its slots. A request that finds no
// slot usually waits in the lane; the gate has a waiting room for when there is none.
type gate struct {
	slots    int64
	room     int64        // requests that may wait here
	busy     atomic.Int64 // slots in use
	extra    atomic.Int64 // those of them that are not the first of their request
	waiting  atomic.Int64 // requests in the waiting room
	waited   atomic.Int64 // nanoseconds before the work, all requests so far
	admitted atomic.Int64 // those requests
	since    atomic.Int64 // when there last began to be a free slot, in Unix nanoseconds
	free     *semaphore.Weighted
	changed  func() // told whenever a slot was taken or given back
}

func newGate(slots, room int, changed func()) *gate {
	return &gate{
		slots: int64(slots), room: int64(room),
		free:    semaphore.NewWeighted(int64(slots)),
		changed: changed,
	}
}

// try takes a slot if one is free and nobody waits for it.
func (g *gate) try() bool {
	if !g.free.TryAcquire(1) {
		return false
	}
	g.took()
	return true
}

// more takes up to n further slots for a request that has one, without waiting: those
// that are free and nobody waits for.
func (g *gate) more(n int) (taken int64) {
	for taken < int64(n) && g.try() {
		g.extra.Add(1)
		taken++
	}
	return taken
}

// enter takes a place in the waiting room, if there is one. Each enter that returns true
// is followed by one wait.
func (g *gate) enter() bool {
	if g.waiting.Add(1) > g.room {
		g.waiting.Add(-1)
		return false
	}
	return true
}

// wait takes a slot, waiting in order of arrival until ctx ends.
func (g *gate) wait(ctx context.Context) error {
	defer g.waiting.Add(-1)
	if err := g.free.Acquire(ctx, 1); err != nil {
		return err
	}
	g.took()
	return nil
}

func (g *gate) took() {
	g.busy.Add(1)
	g.changed()
}

// release gives the slots of a request back.
func (g *gate) release(slots int64) {
	g.extra.Add(1 - slots)
	if g.busy.Load() >= g.slots {
		g.since.Store(time.Now().UnixNano())
	}
	g.free.Release(slots) // first, so that no slot counts as idle that cannot be taken
	g.busy.Add(-slots)
	g.changed()
}

// idle returns the number of free slots.
func (g *gate) idle() int { return int(max(0, g.slots-g.busy.Load())) }

// idleFor reports whether a slot has been free for so long.
func (g *gate) idleFor(d time.Duration) bool {
	return g.idle() > 0 && time.Now().UnixNano()-g.since.Load() > int64(d)
}

// note adds the time that a request waited.
func (g *gate) note(waited time.Duration) {
	g.waited.Add(int64(waited))
	g.admitted.Add(1)
}
