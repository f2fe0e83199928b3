package host

import (
	"context"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// reclaimAfter is how long no request must have held memory before what solvers and
	// the collector keep is given back to the system.
	reclaimAfter = 20 * time.Second

	// worthReclaiming is the number of bytes that requests must have held at once to make
	// that worth while.
	worthReclaiming = 4 << 20
)

// reclaimer waits until no request has held memory for a while, after some held much,
// and then calls release.
type reclaimer struct {
	release func() bool   // false if something is held again
	most    atomic.Int64  // bytes held at once since the last release
	quiet   chan struct{} // nothing is held any more
	cancel  context.CancelFunc
	ended   sync.WaitGroup
}

// newReclaimer starts a reclaimer, to be closed; the end of ctx does not end it.
func newReclaimer(ctx context.Context, release func() bool) *reclaimer {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &reclaimer{release: release, quiet: make(chan struct{}, 1), cancel: cancel}
	r.ended.Go(func() { r.run(ctx) })
	return r
}

func (r *reclaimer) close() {
	r.cancel()
	r.ended.Wait()
}

// held notes how many bytes are held now, by one request or all.
func (r *reclaimer) held(bytes int64) {
	r.raise(bytes)
	if bytes > 0 || r.most.Load() < worthReclaiming {
		return
	}
	select {
	case r.quiet <- struct{}{}:
	default: // it is known
	}
}

// raise makes the most that was held at once at least so many bytes.
func (r *reclaimer) raise(bytes int64) {
	for most := r.most.Load(); bytes > most && !r.most.CompareAndSwap(most, bytes); most = r.most.Load() {
	}
}

func (r *reclaimer) run(ctx context.Context) {
	timer := time.NewTimer(reclaimAfter)
	timer.Stop()
	for {
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-r.quiet:
			timer.Reset(reclaimAfter)
		case <-timer.C:
			if most := r.most.Swap(0); !r.release() {
				r.raise(most) // its end is noted again
			}
		}
	}
}

// reclaim gives back what the solvers keep, unless a request holds memory, and then what
// the collector would give back over the next minutes. It returns false if one does.
func (h *Host) reclaim() bool {
	if h.memory.reserved.Load() > 0 {
		return false
	}
	for _, s := range h.services {
		if s.spec.Idle != nil {
			s.spec.Idle()
		}
	}
	runtime.GC() // a sync.Pool lets go of what it has at the second collection only
	debug.FreeOSMemory()
	return true
}
