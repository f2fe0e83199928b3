package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/bench/figure"
	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/solver"
)

// cancelGoal is for the time in milliseconds from a caller that leaves to the end of the
// work for it.
var cancelGoal = figure.Goal{Order: figure.AtMost, Must: 100}

const (
	// leavesPerRound is how often a caller leaves in a round.
	leavesPerRound = 20
	// leftItems is the number of requests in a batch whose caller leaves.
	leftItems = 64
)

// witness is a service of terms that are never there. It tells when it begins with a
// request and when the context of one ends. The requests of a leave have the numbers from
// leave · leftItems on, so that a solver which begins late counts for its own caller.
type witness struct {
	begun, ended chan event
}

// event is a moment in the life of a solver.
type event struct {
	leave int
	at    time.Time
}

func (w witness) service() solver.Service {
	return solver.Service{Name: contract.FibonacciTerm.Service, Version: "1.0.0", Waits: true, Operations: []solver.Operation{
		solver.Bind(contract.FibonacciTerm, func(ctx context.Context, r contract.TermRequest) (contract.TermResult, error) {
			n := int(r.N.Big().Int64())
			w.begun <- event{n / leftItems, time.Now()}
			<-ctx.Done()
			w.ended <- event{n / leftItems, time.Now()}
			return contract.TermResult{}, ctx.Err()
		}),
	}}
}

// leaver is a way of calling; call sends the request of that number, or those from it on,
// and returns when ctx ends.
type leaver struct {
	name string
	call func(ctx context.Context, first int)
}

// cancel times how soon work ends whose caller has left. The service is in this process,
// for one clock; broker and gateway are processes of their own.
func (b *bench) cancel(ctx context.Context) (err error) {
	var s stage
	defer func() { err = errors.Join(err, s.stop()) }()
	_, url, err := s.start(ctx, b.role("broker"), saysReady)
	if err != nil {
		return err
	}
	service, err := nats.Connect(url)
	if err != nil {
		return err
	}
	defer service.Close()
	w := witness{make(chan event, leftItems), make(chan event, leftItems)}
	h, err := host.Start(ctx, service, host.Config{}, w.service())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Drain(context.WithoutCancel(ctx))) }()
	_, address, err := s.start(ctx, b.program("gateway", "--server", url, "--http", anyPort, "--log-format", "json"), logsReady)
	if err != nil {
		return err
	}
	caller, err := nats.Connect(url)
	if err != nil {
		return err
	}
	defer caller.Close()
	return b.timeLeavers(ctx, w, leavers("http://"+address, &client.NATS{Conn: caller}))
}

// leavers are the ways to call the service, through the gateway and over NATS.
func leavers(base string, c *client.NATS) []leaver {
	term := func(n int) contract.TermRequest { return contract.TermRequest{N: contract.Integer(strconv.Itoa(n))} }
	return []leaver{
		{"POST", func(ctx context.Context, first int) {
			_, _ = client.Call(ctx, client.HTTP{Base: base}, contract.FibonacciTerm, term(first)) // it has no result
		}},
		{"POST of a batch", func(ctx context.Context, first int) {
			var body strings.Builder
			for i := range leftItems {
				fmt.Fprintf(&body, "{\"n\":%d}\n", first+i)
			}
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+contract.FibonacciTerm.BatchRoute(), strings.NewReader(body.String()))
			if err != nil {
				return
			}
			r.Header.Set(contract.HeaderContentType, contract.MediaNDJSON)
			if response, err := http.DefaultClient.Do(r); err == nil {
				_ = response.Body.Close() // nobody reads it
			}
		}},
		{"client.Call over NATS", func(ctx context.Context, first int) {
			_, _ = client.Call(ctx, c, contract.FibonacciTerm, term(first)) // it has no result
		}},
		{"client.Map", func(ctx context.Context, first int) {
			for _, err := range client.Map(ctx, c, contract.FibonacciTerm, func(yield func(contract.TermRequest) bool) {
				for i := 0; i < leftItems && yield(term(first+i)); i++ {
				}
			}, client.MapOptions{}) {
				_ = err // there are no results
			}
		}},
	}
}

// timeLeavers has callers leave, each way in turn, and prints how long the work went on.
func (b *bench) timeLeavers(ctx context.Context, w witness, ways []leaver) error {
	times := make([][]time.Duration, len(ways))
	var left []time.Time // by leave
	for leave := range b.extent.rounds * leavesPerRound * len(ways) {
		way := ways[leave%len(ways)]
		ends, at, err := w.leave(ctx, way, leave)
		if err != nil {
			return fmt.Errorf("%s: %w", way.name, err)
		}
		left = append(left, at)
		for _, end := range ends {
			i := end.leave % len(ways)
			times[i] = append(times[i], end.at.Sub(left[end.leave]))
		}
	}
	if err := b.printf("cancel: ms from a caller that leaves to the end of the solver's context, %d leave in each way\n\n",
		b.extent.rounds*leavesPerRound); err != nil {
		return err
	}
	table := figure.NewTable("caller", "solvers", "p50 ms", "p99 ms", "latest ms")
	var goals figure.Goals
	for i, way := range ways {
		slices.Sort(times[i])
		latest := milliseconds(times[i][len(times[i])-1])
		table.Add(way.name, strconv.Itoa(len(times[i])), figure.Number(milliseconds(figure.Percentile(times[i], 0.50)), 2),
			figure.Number(milliseconds(figure.Percentile(times[i], 0.99)), 2), figure.Number(latest, 2))
		goals.Add(way.name+": latest ms", figure.Series{latest}, cancelGoal, 2)
	}
	return errors.Join(table.Print(b.out), goals.Print(b.out))
}

// leave calls, leaves once a solver works for the call, and returns when that was and
// which solvers have ended meanwhile.
func (w witness) leave(ctx context.Context, way leaver, number int) (ends []event, left time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	call, leave := context.WithCancel(ctx)
	defer leave()
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		way.call(call, number*leftItems)
	}()
	for working := 0; working != 0 || left.IsZero(); {
		select {
		case begin := <-w.begun:
			if working++; begin.leave == number && left.IsZero() {
				left = time.Now()
				leave()
			}
		case end := <-w.ended:
			ends = append(ends, end)
			working--
		case <-ctx.Done():
			return nil, left, errors.New("a solver went on")
		}
	}
	<-returned
	return ends, left, nil
}
