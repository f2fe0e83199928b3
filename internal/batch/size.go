package batch

import (
	"math"
	"time"
)

// grain is how many items a chunk should have.
type grain struct {
	most int     // limit
	now  int     // items
	cost float64 // nanoseconds of work per item
	size float64 // bytes of result per item
}

func newGrain(most int) *grain { return &grain{most: most, now: 1} }

// growth is the factor by which chunks grow at most.
const growth = 4

// observe learns from the reply to a chunk. It believes at once that items are costlier
// or larger than thought, and slowly that they are not. It reports whether chunks grow.
func (g *grain) observe(items int, work time.Duration, bytes int) (grows bool) {
	// The time is told to the microsecond.
	g.cost = pessimist(g.cost, float64(max(work, time.Microsecond))/float64(items))
	g.size = pessimist(g.size, float64(max(bytes, 1))/float64(items))
	target := math.Min(float64(chunkWork)/g.cost, chunkBytes/g.size)
	fit := int(min(max(target, 1), float64(g.most)))
	switch {
	case fit < g.now:
		g.now = fit
	case items >= g.now: // a full chunk was no trouble
		g.now = min(fit, g.now*growth)
	}
	return g.now < fit
}

// tooMuch halves the chunk: one was too large to be answered.
func (g *grain) tooMuch() { g.now = max(1, g.now/2) }

func pessimist(old, now float64) float64 {
	if now > old {
		return now
	}
	return (old + now) / 2
}

// window is how many messages may be in flight: congestion control as TCP has it.
type window struct {
	now       float64
	threshold float64 // above it the window grows by one in each round only
	until     time.Time
}

const (
	// firstWindow is the number of messages before anything is known.
	firstWindow = 8

	// noWait is the time in the queue that still counts as none.
	noWait = time.Millisecond
)

func newWindow() *window { return &window{now: firstWindow, threshold: maxMessages} }

// landed learns from a reply: unless the message had to wait for a slot, there is room
// for more.
func (w *window) landed(queue, work time.Duration) {
	if queue > max(work, noWait) {
		return
	}
	if w.now < w.threshold {
		w.now++
	} else {
		w.now += 1 / w.now
	}
	w.now = min(w.now, maxMessages)
}

// refused backs off: nothing more is sent for a while, and half as much at once
// afterwards. What was in flight at the same time counts once.
func (w *window) refused(now time.Time, wait time.Duration) {
	if now.After(w.until) {
		w.now = max(1, w.now/2)
		w.threshold = w.now
	}
	if until := now.Add(wait); until.After(w.until) {
		w.until = until
	}
}
