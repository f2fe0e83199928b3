// Package load sends an operation many requests and measures how they fare, for the
// command "heddle bench". It neither makes requests nor prints.
//
// In a closed loop a number of callers each send the next request when the last one is
// answered: it finds what the suite can do. In an open loop requests leave at a fixed
// rate whether or not the suite keeps up, and their latency counts from the moment they
// were due, so that a stall shows in full: it finds how the suite does at that rate.
//
//	report := load.Run(ctx, load.Plan{Send: send, InFlight: 64, Duration: 10 * time.Second})
package load

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-649d3d38/heddle/client"
)

// Plan says what to send. Send and InFlight are needed, and Requests or Duration.
type Plan struct {
	// Send sends the i-th request, counted from 0. It is called concurrently.
	Send func(ctx context.Context, i int) (client.Reply, error)
	// InFlight is the largest number of requests without an answer.
	InFlight int
	// Rate is the number of requests per second in an open loop; zero means a closed
	// loop.
	Rate float64
	// Requests is the number of requests; zero means as many as Duration allows.
	Requests int
	// Duration ends the sending; zero means when all Requests are sent.
	Duration time.Duration
}

// Run sends the requests of the plan and returns when all are answered. The end of ctx
// ends it early: what is then without an answer does not count.
func Run(ctx context.Context, p Plan) Report {
	r := &run{Plan: p, start: time.Now(), tally: newTally()}
	if p.Rate > 0 {
		r.open(ctx)
	} else {
		r.closed(ctx)
	}
	return r.tally.report(time.Since(r.start))
}

// run is one [Run] while it lasts.
type run struct {
	Plan
	start time.Time
	next  atomic.Int64 // index of the next request of a closed loop
	tally *tally
}

// over reports whether request i, due at a time, is not to be sent any more.
func (r *run) over(ctx context.Context, i int, due time.Time) bool {
	return ctx.Err() != nil ||
		r.Requests > 0 && i >= r.Requests ||
		r.Duration > 0 && due.Sub(r.start) >= r.Duration
}

func (r *run) closed(ctx context.Context) {
	var callers sync.WaitGroup
	for range r.InFlight {
		callers.Go(func() {
			for {
				i, now := int(r.next.Add(1)-1), time.Now()
				if r.over(ctx, i, now) {
					return
				}
				r.send(ctx, i, now)
			}
		})
	}
	callers.Wait()
}

func (r *run) open(ctx context.Context) {
	var sent sync.WaitGroup
	defer sent.Wait()
	places := make(chan struct{}, r.InFlight)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i := 0; ; i++ {
		due := r.start.Add(time.Duration(float64(i) / r.Rate * float64(time.Second)))
		if r.over(ctx, i, due) {
			return
		}
		if wait := time.Until(due); wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-ctx.Done():
				return
			}
		}
		select {
		case places <- struct{}{}:
			sent.Go(func() {
				defer func() { <-places }()
				r.send(ctx, i, due)
			})
		default:
			r.tally.skip()
		}
	}
}

// send sends one request that was due at a time.
func (r *run) send(ctx context.Context, i int, due time.Time) {
	reply, err := r.Send(ctx, i)
	if ctx.Err() != nil {
		return
	}
	r.tally.add(time.Since(due), reply, err)
}
