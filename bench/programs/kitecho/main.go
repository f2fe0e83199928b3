// Command kitecho is the same echo as microecho, hosted by Heddle's kit. With
// --metrics the kit records its metrics, as Heddle's programs have it.
//
//	kitecho [--metrics] URL
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/telemetry"
	"github.com/seed-649d3d38/heddle/solver"
)

// body is the request and the result.
type body struct {
	N string `json:"n"`
}

// Validate accepts every request that could be decoded.
func (body) Validate() error { return nil }

// drainTime is how long requests in flight have at the end.
const drainTime = 5 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	metrics := flag.Bool("metrics", false, "Record metrics.")
	flag.Parse()
	start := runPlain
	if *metrics {
		start = runMeasured
	}
	if err := start(ctx, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "kitecho:", err)
		os.Exit(1)
	}
}

// runPlain hosts the echo under the operation "plain".
func runPlain(ctx context.Context, url string) error {
	return run(ctx, url, "plain", host.Config{})
}

// runMeasured hosts the echo under the operation "measured".
func runMeasured(ctx context.Context, url string) error {
	t, err := telemetry.Start(ctx, telemetry.Config{Service: "kitecho", Version: "1.0.0"})
	if err != nil {
		return err
	}
	return run(ctx, url, "measured", host.Config{Meter: t.Meter})
}

func run(ctx context.Context, url, operation string, cfg host.Config) error {
	nc, err := nats.Connect(url)
	if err != nil {
		return err
	}
	defer nc.Close()
	endpoint := contract.Define[body, body](contract.Spec{
		Service: "echo", Operation: operation, Summary: "Sends the request back",
	})
	h, err := host.Start(ctx, nc, cfg, solver.Service{
		Name: "echo", Version: "1.0.0", Description: "Sends requests back",
		Operations: []solver.Operation{solver.BindEstimated(endpoint, solve, estimate)},
	})
	if err != nil {
		return err
	}
	fmt.Println("ready")
	<-ctx.Done()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	return h.Drain(drain)
}

func solve(_ context.Context, request body) (body, error) { return request, nil }

func estimate(body) solver.Cost { return solver.Cost{Light: true} }
