package host_test

import (
	"context"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/broker"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
)

// oneSlot hosts n instances with one slot each.
func oneSlot(t *testing.T, b *broker.Broker, n int) (sites []*site) {
	t.Helper()
	for range n {
		sites = append(sites, openSite(t, brokertest.Connect(t, b), host.Config{Slots: 1}))
	}
	return sites
}

// TestIdleInstancesGetTheWork sends as many requests as there are idle instances, over and
// over: each time all of them must run at once, wherever the broker sent them.
func TestIdleInstancesGetTheWork(t *testing.T) {
	t.Parallel()
	const instances, rounds = 4, 50
	b := brokertest.Start(t)
	sites := oneSlot(t, b, instances)
	c := newCrowd(t, brokertest.Connect(t, b))
	for range rounds {
		c.send(echo.Descriptor(), instances/2)
		c.send(sing.Descriptor(), instances/2)
		for _, s := range sites {
			s.begins() // a request that waits behind another one's slot never begins
		}
		for _, s := range sites {
			s.end <- struct{}{}
		}
		c.await(c.sent)
	}
	for _, s := range sites {
		s.drain(t.Context())
	}
	c.settle()
	if n := c.count("result"); n != instances*rounds {
		t.Errorf("%d results, want %d", n, instances*rounds)
	}
}

// TestIdleAfterTurmoil has slots taken and given back by many at once, directly and from
// the lane, and then wants every idle instance to get work all the same.
func TestIdleAfterTurmoil(t *testing.T) {
	t.Parallel()
	const instances, slots, rounds, requests = 2, 4, 5, 200
	b := brokertest.Start(t)
	var sites []*site
	for range instances {
		sites = append(sites, openSite(t, brokertest.Connect(t, b), host.Config{Slots: slots}))
	}
	c := newCrowd(t, brokertest.Connect(t, b))
	for range rounds {
		enough := make(chan struct{})
		var enders sync.WaitGroup
		for _, s := range sites {
			enders.Go(func() {
				for {
					select {
					case s.end <- struct{}{}:
					case <-enough:
						return
					}
				}
			})
		}
		c.send(sing.Descriptor(), requests)
		c.await(c.sent)
		close(enough)
		enders.Wait()
		ran(sites...)
		c.send(sing.Descriptor(), instances*slots)
		for _, s := range sites {
			for range slots {
				s.begins()
			}
		}
		for _, s := range sites {
			for range slots {
				s.end <- struct{}{}
			}
		}
		c.await(c.sent)
	}
}

// TestFullLane sends more than an instance and its lane have room for.
func TestFullLane(t *testing.T) {
	t.Parallel()
	const room, surplus = 3, 5
	b := brokertest.Start(t)
	s := openSite(t, brokertest.Connect(t, b), host.Config{Slots: 1, Queue: room})
	c := newCrowd(t, brokertest.Connect(t, b))
	c.send(echo.Descriptor(), 1+room+surplus)
	c.await(surplus) // while the slot is busy
	if n := c.count(string(contract.CodeResourceExhausted)); n != surplus {
		t.Errorf("%d requests are refused, want %d: %v", n, surplus, c.got)
	}
	for text, delay := range c.delays {
		if delay != "1s" {
			t.Errorf("request %s may be sent again after %s, want 1s", text, delay)
		}
	}
	s.free()
	c.await(c.sent)
	s.drain(t.Context())
	c.settle()
	if n := c.count("result"); n != 1+room {
		t.Errorf("%d results, want %d: %v", n, 1+room, c.got)
	}
}

// TestExpiredInLane lets the time of waiting requests run out: their callers hear of it
// once, at once, and they do not run.
func TestExpiredInLane(t *testing.T) {
	t.Parallel()
	for name, operation := range operations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const waiting = 5
			b := brokertest.Start(t)
			s := openSite(t, brokertest.Connect(t, b), host.Config{Slots: 1})
			c := newCrowd(t, brokertest.Connect(t, b))
			c.send(operation, 1)
			s.begins()
			c.send(operation, waiting, contract.HeaderTimeout, "20ms")
			c.await(waiting) // while the slot is busy
			s.free()
			c.await(c.sent)
			s.drain(t.Context())
			c.settle()
			if n := c.count(string(contract.CodeDeadlineExceeded)); n != waiting || len(s.began) != 0 {
				t.Errorf("%d requests ran out of time and %d ran, want %d and none: %v", n, len(s.began), waiting, c.got)
			}
		})
	}
}

// TestCallersHeaders sends headers that mean something to JetStream: the lane carries the
// requests all the same, and stays as it is.
func TestCallersHeaders(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t)
	s := openSite(t, brokertest.Connect(t, b), host.Config{Slots: 1})
	c := newCrowd(t, brokertest.Connect(t, b))
	c.send(echo.Descriptor(), 1)
	s.begins()
	for name, value := range map[string]string{
		"Nats-Msg-Id": "the same", "Nats-Expected-Stream": "other", "Nats-Rollup": "all", "Nats-TTL": "1s",
		"Nats-Expected-Last-Sequence": "99", "Status": "409", "Description": "Consumer Deleted",
	} {
		c.send(echo.Descriptor(), 2, name, value)
	}
	awaitDepth(t, c.nc, uint64(c.sent-1))
	s.free()
	c.await(c.sent)
	s.drain(t.Context())
	c.settle()
	if n := c.count("result"); n != c.sent {
		t.Errorf("%d results, want %d: %v", n, c.sent, c.got)
	}
}

// TestBrokerRestarts loses the lane with its broker, and the requests in it must be solved
// all the same, those that are not pure not twice.
func TestBrokerRestarts(t *testing.T) {
	t.Parallel()
	for name, operation := range operations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const waiting = 12
			b := brokertest.Listen(t)
			back := make(chan struct{}, 3)
			connect := func() *nats.Conn {
				return b.Connect(nats.ReconnectHandler(func(*nats.Conn) { back <- struct{}{} }))
			}
			sites := []*site{
				openSite(t, connect(), host.Config{Slots: 1}),
				openSite(t, connect(), host.Config{Slots: 1}),
			}
			c := newCrowd(t, connect())
			c.send(operation, len(sites)+waiting)
			awaitDepth(t, c.nc, waiting)
			b.Restart()
			for range cap(back) {
				<-back
			}
			if err := c.nc.FlushTimeout(patience); err != nil { // the broker knows the inbox again
				t.Fatal(err)
			}
			// The requests that run are answered over the new connection.
			for _, s := range sites {
				s.free()
			}
			c.await(c.sent)
			for _, s := range sites {
				s.drain(t.Context())
			}
			c.settle()
			if n := c.count("result"); n != c.sent {
				t.Errorf("%d results, want %d: %v", n, c.sent, c.got)
			}
			wantOnce(t, ran(sites...), c.sent)
		})
	}
}

// TestNodeLost loses the node of a cluster that holds the lane. One instance, which may be
// connected to that node, hands over; the other one only waits for work.
func TestNodeLost(t *testing.T) {
	t.Parallel()
	for name, operation := range operations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const waiting, more = 6, 4
			cluster := brokertest.StartCluster(t)
			hander := openSite(t, cluster.Connect(0), host.Config{Slots: 1})
			holder := cluster.Holder(contract.LaneStream("echo"))
			c := newCrowd(t, cluster.Connect((holder+1)%3))
			awaitInstances(t, c.nc, 1)
			c.send(operation, 1+waiting)
			hander.begins()
			awaitDepth(t, c.nc, waiting)
			cluster.Stop(holder)
			cluster.AwaitReady()
			awaitInstances(t, c.nc, 1)
			c.send(operation, more)
			taker := openSite(t, cluster.Connect((holder+2)%3), host.Config{Slots: 1})
			taker.free()
			// The hander's slot is still busy: only through the lane does the taker get
			// what the hander kept.
			c.await(waiting)
			hander.free()
			c.await(c.sent)
			hander.drain(t.Context())
			taker.drain(t.Context())
			c.settle()
			if n := c.count("result"); n != c.sent {
				t.Errorf("%d results, want %d: %v", n, c.sent, c.got)
			}
		})
	}
}

// TestIdleInstanceOfLostNode shows that an instance that only waits for work finds the
// lane that another one has made after the loss of its node.
func TestIdleInstanceOfLostNode(t *testing.T) {
	t.Parallel()
	cluster := brokertest.StartCluster(t)
	hander := openSite(t, cluster.Connect(0), host.Config{Slots: 1})
	holder := cluster.Holder(contract.LaneStream("echo"))
	idle := openSite(t, cluster.Connect((holder+1)%3), host.Config{Slots: 1})
	c := newCrowd(t, cluster.Connect((holder+1)%3))
	awaitInstances(t, c.nc, 2)
	cluster.Stop(holder)
	cluster.AwaitReady()
	awaitInstances(t, c.nc, 2)
	// Whichever instance the broker sends the two to: none waits behind the other.
	c.send(echo.Descriptor(), 2)
	hander.begins()
	idle.begins()
}

// TestDrainOfTheLast drains the only instance while requests wait in the lane.
func TestDrainOfTheLast(t *testing.T) {
	t.Parallel()
	for name, operation := range operations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const waiting = 20
			b := brokertest.Start(t)
			s := openSite(t, brokertest.Connect(t, b), host.Config{Slots: 1})
			c := newCrowd(t, brokertest.Connect(t, b))
			c.send(operation, 1+waiting)
			awaitDepth(t, c.nc, waiting)
			drained := s.startDrain(t.Context())
			s.free()
			if err := drained(); err != nil {
				t.Errorf("drain: %v", err)
			}
			c.settle()
			if n := c.count("result"); n != c.sent {
				t.Errorf("%d results, want %d: %v", n, c.sent, c.got)
			}
		})
	}
}

// TestDrainBesideAPeer drains the instance that handed requests over: it begins nothing
// more, waits until the other instance has taken them, and that one solves them.
func TestDrainBesideAPeer(t *testing.T) {
	t.Parallel()
	for name, operation := range operations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const waiting = 8
			b := brokertest.Start(t)
			leaver := openSite(t, brokertest.Connect(t, b), host.Config{Slots: 1})
			c := newCrowd(t, brokertest.Connect(t, b))
			c.send(operation, 1+waiting)
			leaver.begins()
			awaitDepth(t, c.nc, waiting)
			stayer := openSite(t, brokertest.Connect(t, b), host.Config{Slots: 1})
			stayer.begins()
			drained := leaver.startDrain(t.Context())
			leaver.free() // it ends its work while the other one is busy
			stayer.free()
			if err := drained(); err != nil {
				t.Errorf("drain: %v", err)
			}
			c.await(c.sent)
			stayer.drain(t.Context())
			c.settle()
			if n := c.count("result"); n != c.sent {
				t.Errorf("%d results, want %d: %v", n, c.sent, c.got)
			}
		})
	}
}

// TestDrainOfTheTaker drains the instance that works for the other one, over and over,
// while requests keep coming.
func TestDrainOfTheTaker(t *testing.T) {
	t.Parallel()
	const rounds, burst = 5, 30
	b := brokertest.Start(t)
	stayer := openSite(t, brokertest.Connect(t, b), host.Config{Slots: 1})
	stayer.free()
	c := newCrowd(t, brokertest.Connect(t, b))
	all := []*site{stayer}
	for range rounds {
		taker := openSite(t, brokertest.Connect(t, b), host.Config{Slots: 1})
		all = append(all, taker)
		taker.free()
		c.send(echo.Descriptor(), burst)
		drained := taker.startDrain(t.Context())
		c.send(echo.Descriptor(), burst)
		if err := drained(); err != nil {
			t.Errorf("drain: %v", err)
		}
	}
	c.await(c.sent)
	stayer.drain(t.Context())
	c.settle()
	if n := c.count("result"); n != c.sent {
		t.Errorf("%d results, want %d", n, c.sent)
	}
	wantOnce(t, ran(all...), c.sent)
}

// TestLaneOutOfTime has no time left for what waits in the lane of the last instance:
// every caller is told.
func TestLaneOutOfTime(t *testing.T) {
	t.Parallel()
	for name, operation := range operations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const waiting = 20
			b := brokertest.Start(t)
			s := openSite(t, brokertest.Connect(t, b), host.Config{Slots: 1})
			c := newCrowd(t, brokertest.Connect(t, b))
			c.send(operation, 1+waiting)
			awaitDepth(t, c.nc, waiting)
			ctx, cancel := context.WithCancel(t.Context())
			drained := s.startDrain(ctx)
			cancel()
			if err := drained(); err == nil {
				t.Error("the drain says that it could finish everything")
			}
			c.settle()
			if n := c.count(string(contract.CodeUnavailable)); n != c.sent {
				t.Errorf("%d requests are unavailable, want %d: %v", n, c.sent, c.got)
			}
		})
	}
}

// TestDrainWithTheBroker stops the broker while an instance drains, as when a whole
// installation is told to stop: that is no failure of the instance.
func TestDrainWithTheBroker(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(*brokertest.Listening, *site) error{
		"before": func(b *brokertest.Listening, s *site) error {
			b.Stop()
			return s.startDrain(t.Context())()
		},
		"meanwhile": func(b *brokertest.Listening, s *site) error {
			wait := s.startDrain(t.Context())
			b.Stop()
			return wait()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := brokertest.Listen(t)
			s := openSite(t, b.Connect(), host.Config{Slots: 1})
			c := newCrowd(t, b.Connect())
			c.send(echo.Descriptor(), 5)
			s.begins()
			s.free()
			if err := stop(b, s); err != nil {
				t.Errorf("drain: %v", err)
			}
		})
	}
}

// TestWithoutJetStream has requests wait in the instance, so many and no more, says so
// once, and finds the lane when JetStream comes.
func TestWithoutJetStream(t *testing.T) {
	t.Parallel()
	const room, surplus = 3, 2
	b := brokertest.ListenPlain(t)
	var j journal
	back := make(chan struct{}, 3)
	connect := func() *nats.Conn {
		return b.Connect(nats.ReconnectHandler(func(*nats.Conn) { back <- struct{}{} }))
	}
	first := openSite(t, connect(), host.Config{Slots: 1, Queue: room, Log: j.log()})
	c := newCrowd(t, connect())
	c.send(echo.Descriptor(), 1+room+surplus)
	c.await(surplus)
	if n := c.count(string(contract.CodeResourceExhausted)); n != surplus {
		t.Errorf("%d requests are refused, want %d: %v", n, surplus, c.got)
	}
	if l := loadOf(t, c.nc); l.Lane || l.Waiting != room {
		t.Errorf("load is %+v, want no lane and %d waiting", l, room)
	}
	for range 1 + room {
		first.end <- struct{}{}
	}
	c.await(c.sent)
	if n := j.count("no lane"); n != 1 {
		t.Errorf("the log says %d times that there is no lane, want once", n)
	}

	second := openSite(t, connect(), host.Config{Slots: 1})
	b.Stop()
	b.Equip()
	b.Start()
	for range cap(back) {
		<-back
	}
	brokertest.Await(t, "the log says that the lane is there", func() bool { return j.count("the lane is there") == 1 })
	ran(first, second)
	c.send(echo.Descriptor(), 2)
	first.begins()
	second.begins()
}
