package load_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/load"
)

// suite stands for a running suite: it answers after work, in the bubble's own time.
type suite struct {
	work          time.Duration
	now, most     atomic.Int64
	requests      atomic.Int64
	fail          func(i int) error
	lastRequested atomic.Int64
}

func (s *suite) send(ctx context.Context, i int) (client.Reply, error) {
	s.requests.Add(1)
	s.lastRequested.Store(int64(i))
	now := s.now.Add(1)
	defer s.now.Add(-1)
	for most := s.most.Load(); now > most && !s.most.CompareAndSwap(most, now); most = s.most.Load() {
	}
	select {
	case <-time.After(s.work):
	case <-ctx.Done():
		return client.Reply{}, ctx.Err()
	}
	if s.fail != nil {
		if err := s.fail(i); err != nil {
			return client.Reply{}, err
		}
	}
	timing := string(contract.AppendServerTiming(nil, time.Millisecond, s.work))
	return client.Reply{Origin: client.Origin{Instance: []string{"a", "b", "b"}[i%3], Timing: timing}}, nil
}

func TestClosedLoopSendsTheNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := suite{work: 10 * time.Millisecond}
		r := load.Run(t.Context(), load.Plan{Send: s.send, InFlight: 4, Requests: 10})
		if r.OK != 10 || s.requests.Load() != 10 || s.most.Load() != 4 {
			t.Errorf("%d results of %d requests, %d at once; want 10 of 10, 4 at once", r.OK, s.requests.Load(), s.most.Load())
		}
		if want := 30 * time.Millisecond; r.Elapsed != want { // 4 + 4 + 2
			t.Errorf("makespan %v, want %v", r.Elapsed, want)
		}
		if want := 25 * time.Millisecond; r.Ideal(4) != want || r.Ideal(0) != 0 {
			t.Errorf("ideal on 4 slots %v, want %v; on none %v", r.Ideal(4), want, r.Ideal(0))
		}
		if want := 10 * time.Millisecond; r.Ideal(100) != want {
			t.Errorf("ideal on 100 slots %v, want that of the longest request, %v", r.Ideal(100), want)
		}
		if len(r.Instances) != 2 || r.Instances[0] != (load.Instance{ID: "b", Requests: 6, Work: 60 * time.Millisecond}) {
			t.Errorf("instances %+v, want the busier b first with 6 requests of 10 ms", r.Instances)
		}
	})
}

func TestClosedLoopEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := suite{work: 30 * time.Millisecond}
		r := load.Run(t.Context(), load.Plan{Send: s.send, InFlight: 1, Duration: 100 * time.Millisecond})
		if r.OK != 4 || r.Elapsed != 120*time.Millisecond {
			t.Errorf("%d results in %v; want 4, the last sent at 90 ms, in 120 ms", r.OK, r.Elapsed)
		}
	})
}

func TestOpenLoopKeepsItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := suite{work: 90 * time.Millisecond}
		r := load.Run(t.Context(), load.Plan{Send: s.send, InFlight: 100, Rate: 50, Duration: time.Second})
		if r.OK != 50 || r.Skipped != 0 || s.most.Load() != 5 {
			t.Errorf("%d results, %d skipped, %d at once; want 50, 0, 5", r.OK, r.Skipped, s.most.Load())
		}
		if got, want := r.Latency.Quantile(0.99), 90*time.Millisecond; got != want {
			t.Errorf("p99 %v, want %v", got, want)
		}
	})
}

func TestOpenLoopSkipsWhatWouldPileUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := suite{work: time.Hour}
		r := load.Run(t.Context(), load.Plan{Send: s.send, InFlight: 3, Rate: 10, Requests: 10})
		if r.OK != 3 || r.Skipped != 7 {
			t.Errorf("%d results, %d skipped; want 3, 7", r.OK, r.Skipped)
		}
	})
}

func TestFailuresCountByCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := contract.Errorf(contract.CodeResourceExhausted, "full")
		s := suite{work: time.Millisecond, fail: func(i int) error {
			switch {
			case i%5 == 1:
				return full
			case i == 2:
				return errors.New("broken")
			default:
				return nil
			}
		}}
		r := load.Run(t.Context(), load.Plan{Send: s.send, InFlight: 1, Requests: 10})
		if r.OK != 7 || r.Failed[contract.CodeResourceExhausted] != 2 || r.Failed[contract.CodeInternal] != 1 {
			t.Errorf("%d results, failed %v; want 7, 2 exhausted and 1 internal", r.OK, r.Failed)
		}
		if !errors.Is(r.FirstError, full) {
			t.Errorf("first error %v, want %v", r.FirstError, full)
		}
	})
}

func TestTheEndOfTheContextCountsNothing(t *testing.T) {
	for rate, inFlight := range map[float64]int{0: 1, 10: 2} { // a closed loop, an open one
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithTimeout(t.Context(), 250*time.Millisecond)
				defer stop()
				s := suite{work: 100 * time.Millisecond}
				r := load.Run(ctx, load.Plan{Send: s.send, InFlight: inFlight, Rate: rate, Duration: time.Hour})
				if r.OK != 2 || len(r.Failed) != 0 || r.Elapsed != 250*time.Millisecond {
					t.Errorf("%d results, failed %v, in %v; want 2 results, no failure, 250 ms", r.OK, r.Failed, r.Elapsed)
				}
			})
		})
	}
}
