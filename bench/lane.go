package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"time"

	"github.com/seed-649d3d38/heddle/bench/figure"
	"github.com/seed-649d3d38/heddle/bench/load"
	"github.com/seed-649d3d38/heddle/bench/process"
	"github.com/seed-649d3d38/heddle/bench/work"
	"github.com/seed-649d3d38/heddle/contract"
)

// The subjects of the work: the kit's and the peer's.
var (
	kitDo    = contract.Subject("work", "do")
	kitOnce  = contract.Subject("work", "once")
	kitLight = contract.Subject("work", "light")
)

const microDo = "micro.do"

// lane measures how the work of a service is spread over its instances.
func (b *bench) lane(ctx context.Context) error {
	for _, part := range []func(context.Context) error{
		b.laneWaiting, b.laneComputing, b.laneCost, b.laneLight, b.laneOverload,
	} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// kitWork starts instances of the kit's service.
func (b *bench) kitWork(ctx context.Context, s *stage, n int, url string, args ...string) error {
	for range n {
		args := append([]string{"--server", url, "--log-format", "json"}, args...)
		if _, _, err := s.start(ctx, b.program("kitwork", args...), logsReady); err != nil {
			return err
		}
	}
	return nil
}

// jetStream starts a broker for services with lanes.
func (b *bench) jetStream(ctx context.Context, s *stage) (url string, err error) {
	b.brokers++
	_, url, err = s.start(ctx, b.role("broker", b.dir+"/jetstream-"+strconv.Itoa(b.brokers)), saysReady)
	return url, err
}

// spread is a way of spreading work over instances.
type spread struct {
	name, subject string
	load          *process.Process
}

// spreads starts the kit's service and its peers, so many instances of each with one slot.
func (b *bench) spreads(ctx context.Context, s *stage, n int) ([]spread, error) {
	url, err := b.jetStream(ctx, s)
	if err == nil {
		err = b.kitWork(ctx, s, n, url, "--slots", "1")
	}
	if err != nil {
		return nil, err
	}
	for range n {
		if _, _, err := s.start(ctx, b.program("microwork", url, microDo), saysReady); err != nil {
			return nil, err
		}
	}
	burst, _, err := s.start(ctx, b.role("nats-burst", url), saysReady)
	if err != nil {
		return nil, err
	}
	all := []spread{{"heddle", kitDo, burst}, {"micro queue group", microDo, burst}}
	if _, err := os.Stat(redisServer); err != nil {
		return all, b.printf("asynq is left out: there is no redis-server (apt-get install redis-server)\n\n")
	}
	address, err := b.startRedis(ctx, s)
	if err != nil {
		return nil, err
	}
	for range n {
		if _, _, err := s.start(ctx, b.program("asynqwork", address), saysReady); err != nil {
			return nil, err
		}
	}
	queue, _, err := s.start(ctx, b.role("asynq-burst", address), saysReady)
	return append(all, spread{"asynq", "", queue}), err
}

// bodyOf returns the body of a request for work.
func bodyOf(r work.Request) string {
	body, err := json.Marshal(r)
	if err != nil { // a struct of numbers always marshals
		panic(err)
	}
	return string(body)
}

// pile is a set of requests that come at once.
type pile struct {
	name   string
	bodies []string
	ideal  time.Duration // the shortest time in which the instances could do it
	goal   figure.Goal
	ratios []figure.Series // by spread: the time it took by the ideal
}

// waits returns a pile of work that waits for so many milliseconds each. The ideal has no
// gap: the sum of all by the instances.
func waits(name string, instances int, goal figure.Goal, milliseconds ...float64) *pile {
	p := &pile{name: name, goal: goal}
	sum := 0.0
	for _, ms := range milliseconds {
		sum += ms
		p.bodies = append(p.bodies, bodyOf(work.Request{Wait: ms}))
	}
	p.ideal = time.Duration(sum / float64(instances) * float64(time.Millisecond))
	return p
}

// uneven returns n numbers between least and most, the same ones each time.
func uneven(n int, least, most float64) []float64 {
	random := rand.New(rand.NewPCG(1, 2))
	numbers := make([]float64, n)
	for i := range numbers {
		numbers[i] = least + random.Float64()*(most-least)
	}
	return numbers
}

// even returns the number n times.
func even(n int, number float64) []float64 { return uneven(n, number, number) }

// laneWaiting spreads work that waits, so that the cores are no matter.
func (b *bench) laneWaiting(ctx context.Context) (err error) {
	const instances = 4
	least, most := 5/b.extent.shrink, 200/b.extent.shrink
	piles := []*pile{
		waits("4 × 200 ms", instances, figure.Goal{Order: figure.AtMost, Must: 1.05, Aim: 1.02}, even(4, 200/b.extent.shrink)...),
		waits("64 × 20 ms", instances, figure.Goal{Order: figure.AtMost, Must: 1.10, Aim: 1.05}, even(64, 20/b.extent.shrink)...),
		waits("64 uneven, 5–200 ms", instances, figure.Goal{Order: figure.AtMost, Must: 1.15, Aim: 1.08}, uneven(64, least, most)...),
	}
	var s stage
	defer func() { err = errors.Join(err, s.stop()) }()
	spreads, err := b.spreads(ctx, &s, instances)
	if err != nil {
		return err
	}
	if err := b.spreadPiles(ctx, piles, spreads); err != nil {
		return err
	}
	title := fmt.Sprintf("lane: work that waits, all at once, %d instances with one slot: time by the ideal, %d rounds", instances, b.extent.lane)
	return errors.Join(b.printPiles(title, piles, spreads), s.stop())
}

// spreadPiles sends every pile every way, round after round. Each round begins with
// another way.
func (b *bench) spreadPiles(ctx context.Context, piles []*pile, spreads []spread) error {
	for _, p := range piles {
		p.ratios = make([]figure.Series, len(spreads))
	}
	for round := range b.extent.lane {
		for _, p := range piles {
			for i := range spreads {
				way := (round + i) % len(spreads)
				o, err := sendAll(ctx, spreads[way], p.bodies)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", p.name, spreads[way].name, err)
				}
				p.ratios[way] = append(p.ratios[way], float64(o.Elapsed)/float64(p.ideal))
			}
		}
	}
	return nil
}

// sendAll sends requests of which every one must get a result.
func sendAll(ctx context.Context, way spread, bodies []string) (load.Outcome, error) {
	o, err := orderBurst(ctx, way.load, load.Burst{Target: way.subject, Bodies: bodies})
	if err == nil && o.Good != len(bodies) {
		err = fmt.Errorf("of %d requests: %+v", len(bodies), o)
	}
	return o, err
}

func (b *bench) printPiles(title string, piles []*pile, spreads []spread) error {
	if err := b.printf("%s\n\n", title); err != nil {
		return err
	}
	columns := []string{"work"}
	for _, w := range spreads {
		columns = append(columns, w.name, "min–max")
	}
	t := figure.NewTable(columns...)
	var goals figure.Goals
	for _, p := range piles {
		cells := []string{p.name}
		for _, r := range p.ratios {
			cells = append(cells, figure.Number(r.Median(), 2), r.Spread(2))
		}
		t.Add(cells...)
		goals.Add(p.name+": time / ideal", p.ratios[0], p.goal, 2)
	}
	if err := t.Print(b.out); err != nil {
		return err
	}
	return goals.Print(b.out)
}

// laneComputing spreads work that keeps the cores busy, two instances with one slot. The
// ideal is measured in each round: two requests with half of the work each.
func (b *bench) laneComputing(ctx context.Context) (err error) {
	const instances = 2
	var s stage
	defer func() { err = errors.Join(err, s.stop()) }()
	spreads, err := b.spreads(ctx, &s, instances)
	if err != nil {
		return err
	}
	p := &pile{name: "32 uneven, 5–50 million turns", goal: figure.Goal{Order: figure.AtMost, Must: 1.15, Aim: 1.05}}
	p.ratios = make([]figure.Series, len(spreads))
	var sum int64
	for _, millions := range uneven(32, 5/b.extent.shrink, 50/b.extent.shrink) {
		turns := int64(millions * 1e6)
		sum += turns
		p.bodies = append(p.bodies, bodyOf(work.Request{Turns: turns}))
	}
	half := bodyOf(work.Request{Turns: sum / instances})
	for round := range b.extent.lane {
		ideal, err := sendAll(ctx, spreads[0], []string{half, half})
		if err != nil {
			return err
		}
		p.ideal = ideal.Elapsed
		for i := range spreads {
			way := (round + i) % len(spreads)
			o, err := sendAll(ctx, spreads[way], p.bodies)
			if err != nil {
				return fmt.Errorf("%s: %w", spreads[way].name, err)
			}
			p.ratios[way] = append(p.ratios[way], float64(o.Elapsed)/float64(p.ideal))
		}
	}
	title := fmt.Sprintf("lane: work that computes, all at once, %d instances with one slot: time by the ideal, %d rounds", instances, b.extent.lane)
	return errors.Join(b.printPiles(title, []*pile{p}, spreads), s.stop())
}
