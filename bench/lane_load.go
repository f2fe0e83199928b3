package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/bench/figure"
	"github.com/seed-649d3d38/heddle/bench/load"
	"github.com/seed-649d3d38/heddle/bench/process"
	"github.com/seed-649d3d38/heddle/bench/work"
)

// occupy sends requests that keep slots and returns when their instances have had time to
// take them. The function that it returns waits for their ends.
func occupy(ctx context.Context, nc *nats.Conn, n int, subject string, r work.Request) (wait func() error, err error) {
	inbox := nc.NewInbox()
	sub, err := nc.SubscribeSync(inbox)
	if err != nil {
		return nil, err
	}
	for range n {
		if err := nc.PublishRequest(subject, inbox, []byte(bodyOf(r))); err != nil {
			return nil, err
		}
	}
	if err := nc.FlushTimeout(readyPatience); err != nil {
		return nil, err
	}
	return func() error {
		for range n {
			if _, err := sub.NextMsgWithContext(ctx); err != nil {
				return err
			}
		}
		return sub.Unsubscribe()
	}, nil
}

// laneCost measures what a request costs that finds its instance full and another one
// idle: one at a time, while three of four instances are full. A quarter of the requests
// then goes to the idle one directly, and the others overflow.
func (b *bench) laneCost(ctx context.Context) (err error) {
	const instances = 4
	var s stage
	defer func() { err = errors.Join(err, s.stop()) }()
	url, err := b.jetStream(ctx, &s)
	if err == nil {
		err = b.kitWork(ctx, &s, instances, url, "--slots", "1")
	}
	if err != nil {
		return err
	}
	client, _, err := s.start(ctx, b.role("nats-requests", url), saysReady)
	if err != nil {
		return err
	}
	nc, err := nats.Connect(url)
	if err != nil {
		return err
	}
	defer nc.Close()
	t := figure.NewTable("operation", "direct µs", "min–max", "overflowed µs", "min–max", "difference", "min–max")
	var goals figure.Goals
	for _, operation := range []struct{ name, subject string }{{"pure", kitDo}, {"not pure", kitOnce}} {
		var direct, over, cost figure.Series
		for range b.extent.rounds {
			idle, full, err := b.costRound(ctx, nc, client, operation.subject, instances)
			if err != nil {
				return err
			}
			// idle and full are means: full = idle/4 + overflowed·3/4.
			overflowed := (full - idle/instances) / (1 - 1.0/instances)
			direct, over, cost = append(direct, idle), append(over, overflowed), append(cost, overflowed-idle)
		}
		t.Add(operation.name, figure.Number(direct.Median(), 0), direct.Spread(0), figure.Number(over.Median(), 0), over.Spread(0),
			figure.Number(cost.Median(), 0), cost.Spread(0))
		goals.Add(operation.name+": µs more for a request that overflows", cost, figure.Goal{Order: figure.AtMost, Must: 150, Aim: 60}, 0)
	}
	title := fmt.Sprintf("lane: one request at a time, mean time of %v, %d rounds\n\n", b.extent.runTime, b.extent.rounds)
	return errors.Join(b.printf("%s", title), t.Print(b.out), goals.Print(b.out), s.stop())
}

// costRound returns the mean time in microseconds of a request while all instances are
// idle, and while all but one are full.
func (b *bench) costRound(ctx context.Context, nc *nats.Conn, client *process.Process, subject string, instances int) (idle, full float64, err error) {
	run := load.Run{Target: subject, Body: "{}", InFlight: 1, Duration: b.extent.runTime}
	r, err := order(ctx, client, run)
	if err != nil {
		return 0, 0, err
	}
	idle = microseconds(r.Mean)
	occupied := b.extent.runTime + 500*time.Millisecond
	wait, err := occupy(ctx, nc, instances-1, subject, work.Request{Wait: milliseconds(occupied)})
	if err != nil {
		return 0, 0, err
	}
	if r, err = order(ctx, client, run); err != nil {
		return 0, 0, err
	}
	return idle, microseconds(r.Mean), wait()
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// laneLight measures light requests while all slots of their instance compute.
func (b *bench) laneLight(ctx context.Context) (err error) {
	var s stage
	defer func() { err = errors.Join(err, s.stop()) }()
	url, err := b.jetStream(ctx, &s)
	if err == nil {
		err = b.kitWork(ctx, &s, 1, url)
	}
	if err != nil {
		return err
	}
	client, _, err := s.start(ctx, b.role("nats-requests", url), saysReady)
	if err != nil {
		return err
	}
	nc, err := nats.Connect(url)
	if err != nil {
		return err
	}
	defer nc.Close()
	var idleP50, idleP99, busyP50, busyP99 figure.Series
	run := load.Run{Target: kitLight, Body: "{}", InFlight: 1, Duration: b.extent.runTime}
	for range b.extent.rounds {
		idle, err := order(ctx, client, run)
		if err != nil {
			return err
		}
		busy, err := b.lightRound(ctx, nc, client, run)
		if err != nil {
			return err
		}
		idleP50, idleP99 = append(idleP50, milliseconds(idle.P50)), append(idleP99, milliseconds(idle.P99))
		busyP50, busyP99 = append(busyP50, milliseconds(busy.P50)), append(busyP99, milliseconds(busy.P99))
	}
	t := figure.NewTable("slots", "p50 ms", "min–max", "p99 ms", "min–max")
	t.Add("idle", figure.Number(idleP50.Median(), 3), idleP50.Spread(3), figure.Number(idleP99.Median(), 3), idleP99.Spread(3))
	t.Add("all compute", figure.Number(busyP50.Median(), 3), busyP50.Spread(3), figure.Number(busyP99.Median(), 3), busyP99.Spread(3))
	var goals figure.Goals
	goals.Add("light requests: p99 with busy slots / idle", busyP99.Over(idleP99), figure.Goal{Order: figure.AtMost, Must: 10, Aim: 3}, 1)
	goals.Add("light requests: p99 in ms with busy slots", busyP99, figure.Goal{Order: figure.AtMost, Must: 5}, 2)
	title := "lane: light requests, one at a time, to one instance with a slot for each core, %d rounds of %v\n\n"
	return errors.Join(b.printf(title, b.extent.rounds, b.extent.runTime), t.Print(b.out), goals.Print(b.out), s.stop())
}

// chunk is a request that keeps a core busy for some 50 ms.
const chunk = 50_000_000

// lightRound makes the run while every slot computes, and as much waits.
func (b *bench) lightRound(ctx context.Context, nc *nats.Conn, client *process.Process, run load.Run) (load.Result, error) {
	busy, cancel := context.WithCancel(ctx)
	const callers = 8
	ended := make(chan error, callers)
	begun := make(chan struct{}, callers)
	for range callers {
		go func() {
			for first := true; busy.Err() == nil; first = false {
				if first {
					begun <- struct{}{}
				}
				if _, err := nc.RequestWithContext(ctx, kitDo, []byte(bodyOf(work.Request{Turns: chunk}))); err != nil {
					ended <- err
					return
				}
			}
			ended <- nil
		}()
	}
	for range callers {
		<-begun
	}
	r, err := order(ctx, client, run)
	cancel()
	for range callers {
		err = errors.Join(err, <-ended)
	}
	return r, err
}

// overload is what a service made of three times what it can do.
type overload struct {
	spread
	goodput, refused, lost, refusedP99, refusedMost, goodP99 figure.Series
}

// laneOverload sends three times as much as the instances can do, whatever comes back.
func (b *bench) laneOverload(ctx context.Context) (err error) {
	const instances, queue, times, rounds = 4, "64", 3, 3
	const each, timeout = 20 * time.Millisecond, time.Second
	var s stage
	defer func() { err = errors.Join(err, s.stop()) }()
	url, err := b.jetStream(ctx, &s)
	if err == nil {
		err = b.kitWork(ctx, &s, instances, url, "--slots", "1", "--queue", queue)
	}
	if err != nil {
		return err
	}
	for range instances {
		if _, _, err := s.start(ctx, b.program("microwork", url, microDo), saysReady); err != nil {
			return err
		}
	}
	client, _, err := s.start(ctx, b.role("nats-burst", url), saysReady)
	if err != nil {
		return err
	}
	pace := each / (instances * times)
	bodies := make([]string, int(b.extent.overload/pace))
	for i := range bodies {
		bodies[i] = bodyOf(work.Request{Wait: milliseconds(each)})
	}
	ways := []*overload{{spread: spread{"heddle", kitDo, client}}, {spread: spread{"micro queue group", microDo, client}}}
	for range min(rounds, b.extent.lane) {
		for _, w := range ways {
			o, err := orderBurst(ctx, client, load.Burst{Target: w.subject, Bodies: bodies, Pace: pace, Timeout: timeout})
			if err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
			w.add(o, float64(o.Elapsed)/float64(each)*instances)
		}
	}
	title := "lane: %d× overload for %v, open loop, %d instances with one slot, work of %v, %v for each request, %s may wait, %d rounds\n\n"
	return errors.Join(b.printf(title, times, b.extent.overload, instances, each, timeout, queue, min(rounds, b.extent.lane)),
		b.printOverload(ways), s.stop())
}

// add adds one round; capacity is what the instances could have done in its time.
func (w *overload) add(o load.Outcome, capacity float64) {
	w.goodput = append(w.goodput, float64(o.Good)/capacity)
	w.refused = append(w.refused, float64(o.Refused))
	w.lost = append(w.lost, float64(o.Late+o.Failed+o.Missing))
	w.refusedP99, w.refusedMost = append(w.refusedP99, milliseconds(o.RefusedP99)), append(w.refusedMost, milliseconds(o.RefusedMost))
	w.goodP99 = append(w.goodP99, milliseconds(o.GoodP99))
}

func (b *bench) printOverload(ways []*overload) error {
	t := figure.NewTable("variant", "goodput/capacity", "min–max", "refused", "refused p99 ms", "latest ms", "too late or failed", "good p99 ms")
	for _, w := range ways {
		t.Add(w.name, figure.Number(w.goodput.Median(), 2), w.goodput.Spread(2), figure.Number(w.refused.Median(), 0),
			figure.Number(w.refusedP99.Median(), 2), figure.Number(w.refusedMost.Median(), 2),
			figure.Number(w.lost.Median(), 0), figure.Number(w.goodP99.Median(), 0))
	}
	var goals figure.Goals
	goals.Add("overload: goodput / capacity", ways[0].goodput, figure.Goal{Order: figure.AtLeast, Must: 0.95, Aim: 0.98}, 2)
	goals.Add("overload: answers that are no result, no 429", ways[0].lost, figure.Goal{Order: figure.AtMost, Must: 0}, 0)
	goals.Add("overload: ms to the latest 429", ways[0].refusedMost, figure.Goal{Order: figure.AtMost, Must: 20}, 1)
	return errors.Join(t.Print(b.out), goals.Print(b.out))
}
