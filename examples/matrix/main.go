// Command matrix multiplies a matrix by a number: the rows are scattered to a service in
// requests of a chosen number of rows, and gathered in order.
//
//	go run ./examples/matrix -scalar 4 -grain 1 1,2 3,4
//
// It answers the book's figure of a matrix times a scalar with one worker for each
// element, which has no program. The book warns that the size of the pieces decides the
// speed; here it is a flag, and the result does not depend on it.
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
	"strings"
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
		args = []string{"1,2", "3,4"}
	}
	if err := run(ctx, args, os.Getenv("NATS_URL"), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "matrix:", err)
		os.Exit(1)
	}
}

// run is the program without the process around it.
func run(ctx context.Context, args []string, server string, out io.Writer) error {
	flags := flag.NewFlagSet("matrix", flag.ExitOnError)
	broker := flags.String("server", server, "broker to use instead of one in this process")
	scalar := flags.Int64("scalar", 4, "number to multiply by")
	grain := flags.Int("grain", 1, "rows in one request")
	_ = flags.Parse(args) // exits instead
	rows, err := parse(flags.Args())
	if err != nil {
		return err
	}
	cfg := local.Config{Server: *broker, Services: daemon.Fixed(service()), Instances: 2}
	return local.Run(ctx, cfg, func(ctx context.Context, nc *nats.Conn) error {
		tally := client.NewTally(&client.NATS{Conn: nc})
		scaled, err := multiply(ctx, tally, rows, *scalar, *grain)
		if err != nil {
			return err
		}
		for _, row := range scaled {
			fmt.Fprintln(out, row)
		}
		_, err = fmt.Fprintln(out, tally.Requests(), "requests")
		return err
	})
}

// parse reads rows such as "1,2".
func parse(args []string) ([][]int64, error) {
	var rows [][]int64
	for _, arg := range args {
		var row []int64
		for text := range strings.SplitSeq(arg, ",") {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("row %q: %w", arg, err)
			}
			row = append(row, n)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// multiply returns the rows times the scalar, with grain rows in each request.
func multiply(ctx context.Context, c client.Caller, rows [][]int64, scalar int64, grain int) ([][]int64, error) {
	piece := func(ctx context.Context, rows [][]int64) ([][]int64, error) {
		result, err := client.Call(ctx, c, scale, scaleRequest{Rows: rows, Scalar: &scalar})
		return result.Rows, err
	}
	pieces, err := client.Scatter(ctx, inFlight, piece, slices.Chunk(rows, max(1, grain)))
	return slices.Concat(pieces...), err
}
