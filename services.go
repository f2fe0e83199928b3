package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"text/tabwriter"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/bus"
	"github.com/seed-649d3d38/heddle/internal/discovery"
)

// servicesCommand lists the instances that are running, of any project that speaks the
// service discovery of NATS.
type servicesCommand struct {
	Bus bus.Options `embed:""`
}

// Run implements the command.
func (c *servicesCommand) Run(ctx context.Context, s streams) error {
	nc, err := connectNow(ctx, c.Bus)
	if err != nil {
		return err
	}
	defer nc.Close()
	instances, err := discovery.Discover(ctx, nc)
	if err != nil {
		return err
	}
	if len(instances) == 0 {
		return contract.Errorf(contract.CodeUnavailable, "no service is running; start some with: heddle worker fibonacci sqrt crawler")
	}
	return printInstances(s.out, instances)
}

// printInstances prints one line for each endpoint of each instance.
func printInstances(out io.Writer, instances []discovery.Instance) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SERVICE\tVERSION\tINSTANCE\tSLOTS BUSY\tWAITING\tOPERATION\tREQUESTS\tERRORS\tMEAN TIME")
	for _, i := range instances {
		for n, e := range i.Endpoints {
			busy, waiting := "-", "-"
			var load host.Load
			if json.Unmarshal(e.Data, &load) == nil && load.Slots > 0 {
				busy, waiting = fmt.Sprintf("%d of %d", load.Busy, load.Slots), fmt.Sprint(load.Waiting)
			}
			if n == 0 {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t", i.Service, i.Version, i.ID, busy, waiting)
			} else {
				fmt.Fprint(w, "\t\t\t\t\t")
			}
			fmt.Fprintf(w, "%s\t%d\t%d\t%v\n", e.Name, e.Requests, e.Errors, e.AverageTime.Round(100*time.Nanosecond))
		}
	}
	return w.Flush()
}

// connectPatience is how long a command that a person waits for tries to connect.
const connectPatience = 2 * time.Second

// connectNow connects to a broker that should be up already.
func connectNow(ctx context.Context, o bus.Options) (*nats.Conn, error) {
	ctx, stop := context.WithTimeout(ctx, connectPatience)
	defer stop()
	nc, err := bus.Connect(ctx, "heddle", o, slog.New(slog.DiscardHandler))
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, contract.Errorf(contract.CodeUnavailable, "no broker answers; start one with: heddle up, or name yours with --server").WithCause(err)
	}
	return nc, err
}
