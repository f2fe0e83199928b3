package lane_test

import (
	"context"
	"log/slog"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host/internal/lane"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds what must happen.
const patience = 20 * time.Second

// end is one instance's end of the lane of the service "s". It takes what it has slots
// for.
type end struct {
	*lane.Lane
	slots    atomic.Int64
	taken    chan lane.Entry
	declined atomic.Int64
	refused  chan lane.Reason
	kept     chan lane.Entry
}

func open(t *testing.T, nc *nats.Conn, slots int64) *end {
	t.Helper()
	e := &end{taken: make(chan lane.Entry, 64), refused: make(chan lane.Reason, 64), kept: make(chan lane.Entry, 64)}
	e.slots.Store(slots)
	l, err := lane.Open(t.Context(), nc, lane.Config{
		Service: "s", Size: 16, Log: slog.New(slog.DiscardHandler),
		Pure: func(operation string) bool { return operation == "pure" },
		Free: func() int { return int(max(0, e.slots.Load())) },
		Take: func(entry lane.Entry) bool {
			if e.slots.Add(-1) < 0 {
				e.slots.Add(1)
				e.declined.Add(1)
				return false
			}
			e.taken <- entry
			return true
		},
		Refuse: func(_ lane.Entry, why lane.Reason) { e.refused <- why },
		Idle:   func() {},
		Keep:   func(entry lane.Entry) { e.kept <- entry },
	})
	if err != nil {
		t.Fatal(err)
	}
	e.Lane = l
	l.Ask()
	t.Cleanup(l.Close)
	return e
}

// add gives or takes slots.
func (e *end) add(slots int64) {
	e.slots.Add(slots)
	e.Ask()
}

// entry returns a request whose time is long.
func entry(operation, body string) lane.Entry {
	now := time.Now()
	return lane.Entry{
		Message:   &nats.Msg{Reply: "caller", Data: []byte(body), Header: nats.Header{"Accept": {"text/plain"}}},
		Operation: operation, Pure: operation == "pure", Arrived: now, Deadline: now.Add(time.Minute),
	}
}

// hand hands a request over.
func (e *end) hand(t *testing.T, entry lane.Entry) {
	t.Helper()
	if !e.Hand(entry) {
		t.Fatal("there is no lane")
	}
}

// receive takes one value of a channel.
func receive[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatalf("waited in vain for a %T", v)
	}
	return v
}

// pulls returns how many requests for work the broker has.
func pulls(t *testing.T, nc *nats.Conn) int {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	c, err := js.Consumer(t.Context(), contract.LaneStream("s"), "instances")
	if err != nil {
		t.Fatal(err)
	}
	return c.CachedInfo().NumWaiting
}

func awaitPulls(t *testing.T, nc *nats.Conn, want int) {
	t.Helper()
	brokertest.Await(t, "one request for work for each free slot", func() bool { return pulls(t, nc) == want })
}

// awaitDepth waits until so many requests wait in the lane.
func awaitDepth(t *testing.T, e *end, want uint64) {
	t.Helper()
	brokertest.Await(t, "the lane has its depth", func() bool { return e.State(t.Context()).Depth == want })
}

// TestOnePullForEachFreeSlot looks at the broker while slots come and go and a connection
// is lost.
func TestOnePullForEachFreeSlot(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t)
	watcher := brokertest.Connect(t, b)
	back := make(chan struct{}, 1)
	nc := brokertest.Connect(t, b, nats.ReconnectWait(time.Millisecond), nats.ReconnectHandler(func(*nats.Conn) { back <- struct{}{} }))
	first, second := open(t, nc, 3), open(t, brokertest.Connect(t, b), 2)
	awaitPulls(t, watcher, 5)
	second.add(2)
	awaitPulls(t, watcher, 7)
	// Two of seven are used up and their slots are taken.
	first.hand(t, entry("pure", "1"))
	first.hand(t, entry("pure", "2"))
	awaitPulls(t, watcher, 5)
	if err := nc.ForceReconnect(); err != nil {
		t.Fatal(err)
	}
	receive(t, back)
	awaitPulls(t, watcher, 5)
	first.hand(t, entry("pure", "3"))
	awaitPulls(t, watcher, 4)
}

// TestGivenBack offers a request to an instance whose slot was taken meanwhile: the
// request goes to another one.
func TestGivenBack(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t)
	busy, other := open(t, brokertest.Connect(t, b), 1), open(t, brokertest.Connect(t, b), 0)
	awaitPulls(t, brokertest.Connect(t, b), 1)
	busy.slots.Store(0) // a direct request has it, and the broker still has the asking
	busy.hand(t, entry("pure", "1"))
	brokertest.Await(t, "the request is given back", func() bool { return busy.declined.Load() == 1 })
	other.add(1)
	e := receive(t, other.taken)
	if string(e.Message.Data) != "1" || e.Message.Reply != "caller" || e.Message.Header.Get("Accept") != "text/plain" || e.Operation != "pure" {
		t.Errorf("the request came as %+v", e)
	}
	for _, name := range []string{contract.HeaderReply, contract.HeaderTaken, contract.HeaderTimeout} {
		if _, there := e.Message.Header[name]; there {
			t.Errorf("the request still has the lane's header %s", name)
		}
	}
	awaitDepth(t, other, 0)
}

// TestClaim claims a request twice, as when the broker offers it again.
func TestClaim(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t)
	hander, taker := open(t, brokertest.Connect(t, b), 0), open(t, brokertest.Connect(t, b), 1)
	hander.hand(t, entry("impure", "1"))
	e := receive(t, taker.taken)
	if err := taker.Claim(t.Context(), e); err != nil {
		t.Errorf("first claim: %v", err)
	}
	if err := taker.Claim(t.Context(), e); err == nil {
		t.Error("a second claim is granted")
	}
	if len(taker.refused)+len(hander.refused) != 0 {
		t.Error("the caller was told something")
	}
}

// TestOfferedAgain takes a request and never claims it: the broker offers it again.
func TestOfferedAgain(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t)
	hander, taker := open(t, brokertest.Connect(t, b), 0), open(t, brokertest.Connect(t, b), 2)
	hander.hand(t, entry("impure", "1"))
	first, again := receive(t, taker.taken), receive(t, taker.taken)
	if err := taker.Claim(t.Context(), again); err != nil {
		t.Errorf("claim: %v", err)
	}
	if err := taker.Claim(t.Context(), first); err == nil {
		t.Error("the claim of the instance that paused is granted")
	}
}

// TestKeeperGone kills the instance that handed requests over: what is pure runs, the
// caller of the rest is told.
func TestKeeperGone(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t)
	nc := brokertest.Connect(t, b)
	hander := open(t, nc, 0)
	hander.hand(t, entry("pure", "1"))
	hander.hand(t, entry("impure", "2"))
	awaitDepth(t, hander, 2)
	nc.Close()
	taker := open(t, brokertest.Connect(t, b), 2)
	for range 2 {
		e := receive(t, taker.taken)
		if err := taker.Claim(t.Context(), e); (err == nil) != e.Pure {
			t.Errorf("claim of %s: %v", e.Operation, err)
		}
	}
	if why := receive(t, taker.refused); why != lane.Lost {
		t.Errorf("refused for reason %v, want %v", why, lane.Lost)
	}
	awaitDepth(t, taker, 0)
}

// TestFull hands over more than there is room for.
func TestFull(t *testing.T) {
	t.Parallel()
	hander := open(t, brokertest.Connect(t, brokertest.Start(t)), 0)
	for range 16 + 1 {
		hander.hand(t, entry("pure", "1"))
	}
	if why := receive(t, hander.refused); why != lane.Full {
		t.Errorf("refused for reason %v, want %v", why, lane.Full)
	}
	awaitDepth(t, hander, 16)
}

// TestCloseTellsTheRest closes the lane while requests wait in it.
func TestCloseTellsTheRest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		leave   func(*end)
		refused int
	}{
		"alone":         {func(*end) {}, 3},
		"beside a peer": {func(e *end) { e.Leave() }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hander := open(t, brokertest.Connect(t, brokertest.Start(t)), 0)
			for range 3 {
				hander.hand(t, entry("pure", "1"))
			}
			// The lane has them before the instance hears of it.
			brokertest.Await(t, "the instance knows that they are stored", func() bool { return hander.Stored() == 3 })
			c.leave(hander)
			hander.Close()
			if n := len(hander.refused); n != c.refused {
				t.Errorf("%d callers were told, want %d", n, c.refused)
			}
			if hander.Hand(entry("pure", "1")) {
				t.Error("a lane that was left takes a request")
			}
		})
	}
}

// TestSettle waits for what was handed over until it was taken.
func TestSettle(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t)
	hander, taker := open(t, brokertest.Connect(t, b), 0), open(t, brokertest.Connect(t, b), 0)
	hander.hand(t, entry("pure", "1"))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	hander.Settle(ended) // does not wait
	if hander.Empty(t.Context()) {
		t.Error("the lane says that it is empty")
	}
	settled := make(chan struct{})
	go func() {
		hander.Settle(t.Context())
		close(settled)
	}()
	taker.add(1)
	receive(t, settled)
	brokertest.Await(t, "the lane is empty", func() bool { return hander.Empty(t.Context()) })
}

// TestRemade deletes the lane: one instance makes it anew and what was handed over is
// handed over again.
func TestRemade(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t)
	hander, taker := open(t, brokertest.Connect(t, b), 0), open(t, brokertest.Connect(t, b), 0)
	hander.hand(t, entry("pure", "1"))
	hander.hand(t, entry("impure", "2"))
	awaitDepth(t, hander, 2)
	js, err := jetstream.New(brokertest.Connect(t, b))
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(t.Context(), contract.LaneStream("s")); err != nil {
		t.Fatal(err)
	}
	hander.hand(t, entry("pure", "3")) // finds that there is no lane
	kept := receive(t, hander.kept)
	taker.add(2)
	got := map[string]bool{}
	for range 2 {
		e := receive(t, taker.taken)
		if err := taker.Claim(t.Context(), e); err != nil {
			t.Errorf("claim: %v", err)
		}
		got[string(e.Message.Data)] = true
	}
	if string(kept.Message.Data) != "3" || !got["1"] || !got["2"] {
		t.Errorf("the taker got %v and the hander kept %s", got, kept.Message.Data)
	}
}

// TestWaiting follows what an instance knows of requests that wait: those that it handed
// over, and those behind the one that it was offered.
func TestWaiting(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t)
	hander, taker := open(t, brokertest.Connect(t, b), 0), open(t, brokertest.Connect(t, b), 0)
	if hander.Waiting() || taker.Waiting() {
		t.Error("requests wait before there is one")
	}
	hander.hand(t, entry("pure", "1"))
	hander.hand(t, entry("pure", "2"))
	if !hander.Waiting() {
		t.Error("what was handed over does not wait")
	}
	awaitDepth(t, hander, 2)
	for _, behind := range []bool{true, false} {
		taker.add(1)
		receive(t, taker.taken)
		brokertest.Await(t, "others wait: "+strconv.FormatBool(behind), func() bool { return taker.Waiting() == behind && hander.Waiting() == behind })
	}
}
