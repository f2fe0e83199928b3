package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/bench/figure"
	"github.com/seed-649d3d38/heddle/bench/process"
	"github.com/seed-649d3d38/heddle/contract"
)

// idleGoal is for the memory in MB of a process that has served one request.
var idleGoal = figure.Goal{Order: figure.AtMost, Must: 30}

// idler is a program whose memory is read while it is idle.
type idler struct {
	name    string
	command func(url string) process.Command
	ready   func(string) (string, bool)
	// touch sends the program its one request, which may be refused but must be
	// answered.
	touch func(ctx context.Context, nc *nats.Conn, address string) error
	goal  bool // whether it is one of Heddle's services

	resident, anonymous figure.Series // MB
}

// idle reads the memory of idle programs.
func (b *bench) idle(ctx context.Context) error {
	idlers := b.idlers()
	for range b.extent.idle {
		if err := b.idleRound(ctx, idlers); err != nil {
			return err
		}
	}
	return b.printIdle(idlers)
}

// idlers are the suite's programs and the bare ones beside them.
func (b *bench) idlers() []*idler {
	const bareSubject, barePath = "bare", "/bare"
	service := func(name string) func(string) process.Command {
		return func(url string) process.Command { return b.program(name, "--server", url, "--log-format", "json") }
	}
	term, root := contract.FibonacciTerm, contract.SqrtRoot
	return []*idler{
		{name: "bare micro echo", ready: saysReady, touch: overNATS(bareSubject, requestBody),
			command: func(url string) process.Command { return b.program("microecho", url, bareSubject) }},
		{name: "bare gateway", ready: saysReady, touch: overHTTP(barePath),
			command: func(url string) process.Command { return b.program("baregateway", url, bareSubject, barePath) }},
		{name: "fibonacci", ready: logsReady, touch: overNATS(term.Subject(), requestBody), command: service("fibonacci"), goal: true},
		{name: "sqrt", ready: logsReady, touch: overNATS(root.Subject(), `{"x":"2","digits":50}`), command: service("sqrt"), goal: true},
		{name: "crawler", ready: logsReady, touch: overNATS(contract.CrawlerLinks.Subject(), `{"url":"http://127.0.0.1/"}`), command: service("crawler"), goal: true},
		{name: "gateway", ready: logsReady, touch: overHTTP(term.Route()), goal: true,
			command: func(url string) process.Command {
				return b.program("gateway", "--server", url, "--http", anyPort, "--log-format", "json")
			}},
	}
}

func overNATS(subject, body string) func(context.Context, *nats.Conn, string) error {
	return func(ctx context.Context, nc *nats.Conn, _ string) error {
		_, err := nc.RequestWithContext(ctx, subject, []byte(body))
		return err
	}
}

func overHTTP(path string) func(context.Context, *nats.Conn, string) error {
	return func(ctx context.Context, _ *nats.Conn, address string) error {
		return call(ctx, address, path, requestBody)
	}
}

// idleRound starts all programs on one broker, sends each its request and reads their
// memory some time later.
func (b *bench) idleRound(ctx context.Context, idlers []*idler) (err error) {
	var s stage
	defer func() { err = errors.Join(err, s.stop()) }()
	ctx, cancel := context.WithTimeout(ctx, readyPatience+b.extent.settle)
	defer cancel()
	_, url, err := s.start(ctx, b.role("broker"), saysReady)
	if err != nil {
		return err
	}
	nc, err := nats.Connect(url)
	if err != nil {
		return err
	}
	defer nc.Close()
	processes := make([]*process.Process, len(idlers))
	for i, idle := range idlers {
		p, address, err := s.start(ctx, idle.command(url), idle.ready)
		if err != nil {
			return err
		}
		if err := idle.touch(ctx, nc, address); err != nil {
			return fmt.Errorf("%s: %w", idle.name, err)
		}
		processes[i] = p
	}
	select {
	case <-time.After(b.extent.settle):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for i, idle := range idlers {
		u, err := processes[i].Usage()
		if err != nil {
			return err
		}
		idle.resident = append(idle.resident, megabytes(u.Resident))
		idle.anonymous = append(idle.anonymous, megabytes(u.Anonymous))
	}
	return s.stop()
}

func megabytes(bytes int64) float64 { return float64(bytes) / 1e6 }

func (b *bench) printIdle(idlers []*idler) error {
	if err := b.printf("idle: memory in MB, %v after one request, %d starts of each\n\n", b.extent.settle, b.extent.idle); err != nil {
		return err
	}
	t := figure.NewTable("process", "resident", "min–max", "of it anonymous", "min–max")
	var goals figure.Goals
	for _, idle := range idlers {
		t.Add(idle.name,
			figure.Number(idle.resident.Median(), 1), idle.resident.Spread(1),
			figure.Number(idle.anonymous.Median(), 1), idle.anonymous.Spread(1))
		if idle.goal {
			goals.Add(idle.name+": MB resident when idle", idle.resident, idleGoal, 1)
		}
	}
	if err := t.Print(b.out); err != nil {
		return err
	}
	return goals.Print(b.out)
}
