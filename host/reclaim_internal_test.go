package host

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-649d3d38/heddle/solver"
)

// TestReclaim holds memory for some time and looks when it is given back.
func TestReclaim(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		holds []int64 // bytes held at once, one after the other
		every time.Duration
		want  int32
	}{
		"never held":   {nil, time.Second, 0},
		"little":       {[]int64{1, worthReclaiming - 1}, time.Second, 0},
		"much":         {[]int64{worthReclaiming}, time.Second, 1},
		"one after":    {[]int64{worthReclaiming, 1, 1}, reclaimAfter / 2, 1},
		"with a pause": {[]int64{worthReclaiming, worthReclaiming}, 2 * reclaimAfter, 2},
		"then little":  {[]int64{worthReclaiming, 1, 1}, 2 * reclaimAfter, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var released atomic.Int32
				r := newReclaimer(t.Context(), func() bool { released.Add(1); return true })
				defer r.close()
				m := newMemory(1 << 30)
				m.watch = r.held
				for _, bytes := range c.holds {
					if err := m.reserve(t.Context(), bytes); err != nil {
						t.Fatal(err)
					}
					<-time.After(3 * reclaimAfter) // as long as it likes
					before := released.Load()
					m.release(bytes)
					<-time.After(c.every)
					synctest.Wait()
					if c.every < reclaimAfter && released.Load() != before {
						t.Error("given back too early")
					}
				}
				<-time.After(2 * reclaimAfter)
				if got := released.Load(); got != c.want {
					t.Errorf("given back %d times, want %d", got, c.want)
				}
			})
		})
	}
}

// TestReclaimComesBack has a request hold memory again just as it would be given back.
func TestReclaimComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		held := true
		asked := make(chan bool, 10)
		r := newReclaimer(t.Context(), func() bool { asked <- held; return !held })
		defer r.close()
		r.held(worthReclaiming)
		r.held(0)
		if !<-asked {
			t.Fatal("the first time nothing was held")
		}
		synctest.Wait()
		held = false
		r.held(1)
		r.held(0)
		if <-asked {
			t.Fatal("the second time something was held")
		}
	})
}

// TestReclaimAsksTheServices checks that nothing is taken from under a request.
func TestReclaimAsksTheServices(t *testing.T) {
	t.Parallel()
	asked := 0
	h := &Host{memory: newMemory(100), services: []*service{
		{spec: solver.Service{Idle: func() { asked++ }}},
		{spec: solver.Service{}},
	}}
	if err := h.memory.reserve(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	if h.reclaim(); asked != 0 {
		t.Error("the service was asked while a request holds memory")
	}
	h.memory.release(10)
	if h.reclaim(); asked != 1 {
		t.Errorf("the service was asked %d times, want once", asked)
	}
}
