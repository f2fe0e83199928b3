package host_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/solver"
)

// slotted is a hosted echo whose requests ask for as many slots as their text says, and
// go on when they are told to.
type slotted struct {
	caller  *nats.Conn
	granted chan int      // slots that a request got, when it begins
	release chan struct{} // lets one request end
	answers sync.WaitGroup
}

func startSlotted(t *testing.T, slots int) *slotted {
	t.Helper()
	s := &slotted{granted: make(chan int), release: make(chan struct{})}
	solve := func(ctx context.Context, r EchoRequest) (EchoResult, error) {
		s.granted <- solver.Slots(ctx)
		<-s.release
		return EchoResult{Text: r.Text}, nil
	}
	estimate := func(r EchoRequest) solver.Cost {
		n, _ := r.Text.Int64()
		return solver.Cost{Slots: int(n), Memory: 1}
	}
	b := brokertest.Start(t)
	h, err := host.Start(t.Context(), brokertest.Connect(t, b), host.Config{Slots: slots}, solver.Service{
		Name: "echo", Version: "1.0.0",
		Operations: []solver.Operation{solver.BindEstimated(echo, solve, estimate)},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.caller = brokertest.Connect(t, b)
	t.Cleanup(func() {
		s.answers.Wait()
		if err := h.Drain(context.Background()); err != nil {
			t.Errorf("drain: %v", err)
		}
	})
	return s
}

// ask sends a request that can use so many slots.
func (s *slotted) ask(t *testing.T, slots int) {
	s.answers.Go(func() {
		var got EchoResult
		if err := request(s.caller, fmt.Sprintf(`{"text":"%d"}`, slots), &got); err != nil {
			t.Errorf("a request for %d slots: %v", slots, err)
		}
	})
}

// busy returns the number of slots in use.
func (s *slotted) busy(t *testing.T) int64 {
	t.Helper()
	subject, err := micro.ControlSubject(micro.StatsVerb, "echo", "")
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.caller.Request(subject, nil, patience)
	if err != nil {
		t.Fatal(err)
	}
	var stats micro.Stats
	var load host.Load
	if err := json.Unmarshal(m.Data, &stats); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(stats.Endpoints[0].Data, &load); err != nil {
		t.Fatal(err)
	}
	return load.Busy
}

// TestLargeRequestsTakeSeveralSlots checks that a request gets the slots it can use, as
// far as the instance has them, and that all come back.
func TestLargeRequestsTakeSeveralSlots(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ slots, asked, want int }{
		{4, 0, 1}, {4, 1, 1}, {4, 2, 2}, {4, 4, 4}, {4, 100, 4}, {1, 2, 1},
	} {
		s := startSlotted(t, c.slots)
		for range 2 { // the second time with slots that came back
			s.ask(t, c.asked)
			if got := <-s.granted; got != c.want {
				t.Errorf("%d of %d slots: got %d, want %d", c.asked, c.slots, got, c.want)
			}
			if busy := s.busy(t); busy != int64(c.want) {
				t.Errorf("%d of %d slots: %d are busy, want %d", c.asked, c.slots, busy, c.want)
			}
			s.release <- struct{}{}
			s.answers.Wait()
			for s.busy(t) > 0 {
				// The slots come back after the answer. Each look is a round trip.
			}
		}
	}
}

// TestLargeRequestsDoNotWaitForAllTheirSlots fills an instance with small requests, one
// after another without a gap: a large one must not starve behind them, nor a small one
// behind large ones.
func TestLargeRequestsDoNotWaitForAllTheirSlots(t *testing.T) {
	t.Parallel()
	s := startSlotted(t, 2)
	s.ask(t, 1)
	<-s.granted
	s.ask(t, 2) // one slot is left
	if got := <-s.granted; got != 1 {
		t.Errorf("a large request beside a small one got %d slots, want 1", got)
	}
	const more = 6
	for i := range more {
		s.ask(t, 1+i%2)
	}
	for range more {
		s.release <- struct{}{}
		if got := <-s.granted; got != 1 {
			t.Errorf("a request got %d slots of a full instance, want 1", got)
		}
	}
	s.release <- struct{}{}
	s.release <- struct{}{}
}
