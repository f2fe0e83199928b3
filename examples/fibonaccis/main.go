// Command fibonaccis answers a list of Fibonacci inputs on several instances, with at
// most four requests under way.
//
//	go run ./examples/fibonaccis 3 10 5 7 0 -8 300
//	go run ./examples/fibonaccis -random 15
//
// It answers three programs of the book. The one with four threads loses the fifth
// input, waits for ever with three, and dies of 0; here any number of inputs of any sign
// is answered, one line for each, in their order. The one with processes computes equal
// inputs again and may lose a consumer and still end with status 0; here equal inputs
// are computed once, and an input that fails has its own error and makes the program
// fail, but costs no other input its answer.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
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
		args = []string{"3", "10", "5", "7"}
	}
	if err := run(ctx, args, os.Getenv("NATS_URL"), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "fibonaccis:", err)
		os.Exit(1)
	}
}

// run is the program without the process around it.
func run(ctx context.Context, args []string, server string, out io.Writer) error {
	flags := flag.NewFlagSet("fibonaccis", flag.ExitOnError)
	broker := flags.String("server", server, "broker with running services to use instead of this process")
	instances := flags.Int("instances", 2, "instances in this process")
	limit := flags.Int("limit", 4, "requests under way at once")
	random := flags.Int("random", 0, "add so many random inputs from 1 to 20")
	_ = flags.Parse(args) // exits instead
	inputs, err := read(flags.Args(), *random)
	if err != nil {
		return err
	}
	cfg := local.Config{Server: *broker, Instances: *instances}
	if *broker == "" {
		cfg.Services = daemon.Fixed(fib.Service())
	}
	return local.Run(ctx, cfg, func(ctx context.Context, nc *nats.Conn) error {
		tally := client.NewTally(&client.NATS{Conn: nc})
		err := answer(ctx, tally, *limit, inputs, out)
		fmt.Fprintf(out, "%d inputs, %d requests\n", len(inputs), tally.Requests())
		return err
	})
}

// read returns the inputs that were given and some random ones.
func read(args []string, random int) ([]contract.Integer, error) {
	var inputs []contract.Integer
	for _, arg := range args {
		n, err := contract.ParseInteger(arg)
		if err != nil {
			return nil, fmt.Errorf("input %q: %w", arg, err)
		}
		inputs = append(inputs, n)
	}
	for range random {
		inputs = append(inputs, contract.NewInteger(1+rand.Int64N(20)))
	}
	return inputs, nil
}

// answer prints one line for each input, in order, and returns the errors of those that
// failed.
func answer(ctx context.Context, c client.Caller, limit int, inputs []contract.Integer, out io.Writer) error {
	g := client.NewGroup(limit)
	defer g.Wait()
	terms := make(map[contract.Integer]*client.Future[contract.TermResult])
	for _, n := range inputs {
		if terms[n] == nil {
			terms[n] = client.Go(ctx, g, client.Remote(c, contract.FibonacciTerm), contract.TermRequest{N: n})
		}
	}
	var failed []error
	for _, n := range inputs {
		if term, err := terms[n].Wait(ctx); err != nil {
			failed = append(failed, fmt.Errorf("F(%s): %w", n, err))
			fmt.Fprintf(out, "F(%s) failed\n", n)
		} else {
			fmt.Fprintf(out, "F(%s) = %s\n", n, term.Value)
		}
	}
	return errors.Join(failed...)
}
