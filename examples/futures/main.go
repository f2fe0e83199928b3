// Command futures submits Fibonacci inputs with a callback each, and waits for all.
//
//	go run ./examples/futures 4 3 8 6 10
//
// It answers two programs of the book: submit with a callback on one machine, and the
// coroutine that sets a future. There the number is buried in a sentence, a failed job
// has no path, and a slow callback slows the dispatcher. Here a callback gets a typed
// result or an error, runs once, as its result comes, and holds up nobody; the answer
// says which instance made it, and ending the context ends the rest.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
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
		args = []string{"4", "3", "8", "6", "10"}
	}
	if err := run(ctx, args, os.Getenv("NATS_URL"), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "futures:", err)
		os.Exit(1)
	}
}

// run is the program without the process around it.
func run(ctx context.Context, args []string, server string, out io.Writer) error {
	flags := flag.NewFlagSet("futures", flag.ExitOnError)
	broker := flags.String("server", server, "broker with running services to use instead of this process")
	instances := flags.Int("instances", 2, "instances in this process")
	limit := flags.Int("limit", 4, "requests under way at once")
	_ = flags.Parse(args) // exits instead
	cfg := local.Config{Server: *broker, Instances: *instances}
	if *broker == "" {
		cfg.Services = daemon.Fixed(fib.Service())
	}
	return local.Run(ctx, cfg, func(ctx context.Context, nc *nats.Conn) error {
		return submit(ctx, &client.NATS{Conn: nc}, *limit, flags.Args(), out)
	})
}

// answer is a term and who computed it.
type answer struct {
	contract.TermResult
	instance string
}

// ask returns the function that gets one answer. It sends the request itself, since
// what [client.Call] returns does not say who made it.
func ask(c client.Caller) func(context.Context, string) (answer, error) {
	return func(ctx context.Context, input string) (answer, error) {
		n, err := contract.ParseInteger(input)
		if err != nil {
			return answer{}, err
		}
		body, err := json.Marshal(contract.TermRequest{N: n})
		if err != nil {
			return answer{}, err
		}
		reply, err := c.Send(ctx, contract.FibonacciTerm.Spec, body, "")
		if err != nil {
			return answer{}, err
		}
		a := answer{instance: reply.Instance}
		return a, json.Unmarshal(reply.Body, &a.TermResult)
	}
}

// submit starts a request for every input; each answer is printed as it comes, and in
// the end the number of those that failed.
func submit(ctx context.Context, c client.Caller, limit int, inputs []string, out io.Writer) error {
	g := client.NewGroup(limit)
	var mu sync.Mutex // callbacks run at the same time
	failed := 0
	for _, input := range inputs {
		client.Go(ctx, g, ask(c), input).Then(func(a answer, err error) {
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed++
				fmt.Fprintf(out, "F(%s): %v\n", input, err)
				return
			}
			fmt.Fprintf(out, "F(%s) = %s by instance %s\n", a.N, a.Value, a.instance)
		})
	}
	g.Wait() // for the callbacks too
	if failed > 0 {
		return fmt.Errorf("%d of %d inputs failed", failed, len(inputs))
	}
	_, err := fmt.Fprintf(out, "all %d are there\n", len(inputs))
	return err
}
