// Command jobs submits Fibonacci inputs as durable jobs, watches them and collects the
// results.
//
//	go run ./examples/jobs 10 93 1000000
//
// It answers the programs of the book that submit with apply_async and ask an AsyncResult
// later. There a result is awaited by asking again and again, and a lost worker loses the
// task it had. Here the end of a job is heard as it comes, another instance takes over what
// one leaves, and any program that knows the id can collect the result.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/daemon"
	"github.com/seed-649d3d38/heddle/local"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	args := os.Args[1:]
	if len(args) == 0 { // something to look at
		args = []string{"10", "93", "1000000"}
	}
	if err := run(ctx, args, os.Getenv("NATS_URL"), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "jobs:", err)
		os.Exit(1)
	}
}

// run is the program without the process around it.
func run(ctx context.Context, args []string, server string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("jobs", flag.ExitOnError)
	broker := flags.String("server", server, "broker with running services to use instead of this process")
	_ = flags.Parse(args) // exits instead
	cfg := local.Config{Server: *broker}
	if *broker == "" {
		if cfg.Dir, err = os.MkdirTemp("", "heddle-jobs-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(cfg.Dir)) }()
		cfg.Services = daemon.Fixed(fib.Service())
	}
	return local.Run(ctx, cfg, func(ctx context.Context, nc *nats.Conn) error {
		c := &client.NATS{Conn: nc}
		jobs, err := submit(ctx, c, flags.Args())
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%d jobs are stored\n", len(jobs))
		return collect(ctx, jobs, out)
	})
}

// job is a job that will have a term.
type job = client.Job[contract.TermResult]

// submit stores a job for each input. From then on they need nobody to wait for them.
func submit(ctx context.Context, c client.JobCaller, inputs []string) ([]job, error) {
	var jobs []job
	for _, n := range inputs {
		j, err := client.Submit(ctx, c, contract.FibonacciTerm, contract.TermRequest{N: contract.Integer(n)}, contract.JobOptions{})
		if err != nil {
			return nil, fmt.Errorf("submit F(%s): %w", n, err)
		}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

// collect prints what the jobs do and what comes of them, one after another; they are
// worked on at the same time.
func collect(ctx context.Context, jobs []job, out io.Writer) error {
	failed := 0
	for _, j := range jobs {
		var last contract.Job
		for doc, err := range j.Watch(ctx) {
			if err != nil {
				return err
			}
			last = doc
		}
		term, err := j.Wait(ctx)
		if err != nil {
			failed++
			fmt.Fprintf(out, "%s %s: %v\n", j.ID(), last.State, err)
			continue
		}
		fmt.Fprintf(out, "%s %s in attempt %d: F(%s) has %d digits\n", j.ID(), last.State, last.Attempt, term.N, term.Digits)
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d jobs failed", failed, len(jobs))
	}
	return nil
}
