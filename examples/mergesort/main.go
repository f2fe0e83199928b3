// Command mergesort sorts numbers by divide and conquer: parts are sorted in parallel by
// a service, and sorted neighbours are merged in parallel by the same service.
//
//	go run ./examples/mergesort 5 3 9 3 -1
//
// It answers the book's figure of a merge sort of six numbers, which has no program: any
// count of numbers, duplicates and none at all, on as many instances as there are.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"syscall"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/daemon"
	"github.com/seed-649d3d38/heddle/local"
)

// inFlight is how many requests are under way at once.
const inFlight = 8

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	args := os.Args[1:]
	if len(args) == 0 { // something to look at
		args = []string{"5", "3", "9", "3", "-1", "7"}
	}
	if err := run(ctx, args, os.Getenv("NATS_URL"), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mergesort:", err)
		os.Exit(1)
	}
}

// run is the program without the process around it.
func run(ctx context.Context, args []string, server string, out io.Writer) error {
	flags := flag.NewFlagSet("mergesort", flag.ExitOnError)
	broker := flags.String("server", server, "broker to use instead of one in this process")
	part := flags.Int("part", 2, "numbers in a part")
	_ = flags.Parse(args) // exits instead
	values := []int64{}
	for _, arg := range flags.Args() {
		n, err := strconv.ParseInt(arg, 10, 64)
		if err != nil {
			return err
		}
		values = append(values, n)
	}
	cfg := local.Config{Server: *broker, Services: daemon.Fixed(service()), Instances: 2}
	return local.Run(ctx, cfg, func(ctx context.Context, nc *nats.Conn) error {
		tally := client.NewTally(&client.NATS{Conn: nc})
		sorted, err := sort(ctx, tally, values, *part)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "%v\n%d requests\n", sorted, tally.Requests())
		return err
	})
}

// sort returns the values in order, sorted in parts of a size.
func sort(ctx context.Context, c client.Caller, values []int64, size int) ([]int64, error) {
	one := func(ctx context.Context, part []int64) (numbers, error) {
		return client.Call(ctx, c, sortPart, numbers{Values: part})
	}
	two := func(ctx context.Context, left, right numbers) (numbers, error) {
		return client.Call(ctx, c, mergeParts, pair{Left: left.Values, Right: right.Values})
	}
	parts, err := client.Scatter(ctx, inFlight, one, slices.Chunk(values, max(1, size)))
	if err != nil {
		return nil, err
	}
	all, err := client.Gather(ctx, inFlight, two, parts)
	return all.Values, err
}
