package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/daemon"
	"github.com/seed-649d3d38/heddle/internal/bus"
	"github.com/seed-649d3d38/heddle/jobs"
)

// provisionCommand makes and changes what durable jobs need at the broker. Services make
// what is missing too, but nobody else changes anything.
type provisionCommand struct {
	Bus      bus.Options   `embed:""`
	Replicas int           `help:"Nodes of the broker that keep each stream. Default: as it is; 1 where it is new." env:"HEDDLE_REPLICAS" placeholder:"N"`
	JobQueue int           `help:"Jobs of each service that may be queued. Default: as it is; 100000 where it is new." env:"HEDDLE_JOB_QUEUE" placeholder:"N"`
	JobBytes daemon.Size   `help:"Storage of the broker that is set apart for the queued jobs of each service. Default: as it is; 16KiB for each job where it is new or --job-queue is given." env:"HEDDLE_JOB_BYTES" placeholder:"SIZE"`
	Wait     time.Duration `help:"How long to wait for a broker that is not up yet." default:"1m" env:"HEDDLE_PROVISION_WAIT"`
	DryRun   bool          `help:"Only say what would be done."`
}

// Validate implements kong's interface.
func (c *provisionCommand) Validate() error {
	if c.Replicas < 0 || c.JobQueue < 0 {
		return fmt.Errorf("--replicas and --job-queue must not be negative")
	}
	return nil
}

// Run implements the command.
func (c *provisionCommand) Run(ctx context.Context, s streams) error {
	ctx, stop := context.WithTimeout(ctx, c.Wait)
	defer stop()
	nc, err := bus.Connect(ctx, "heddle", c.Bus, slog.New(slog.NewTextHandler(s.err, nil)))
	if err != nil {
		return noBroker(err)
	}
	defer nc.Close()
	store, err := jobs.Open(nc, jobs.Config{Replicas: c.Replicas, Queue: c.JobQueue, QueueBytes: int64(c.JobBytes)})
	if err != nil {
		return err
	}
	defer store.Close()
	do, words := store.Provision, done
	if c.DryRun {
		do, words = store.Survey, wouldDo
	}
	found, err := do(ctx, suite()...)
	printFindings(s.out, found, words)
	return err
}

// provisionPatience is how long an embedded broker may take for it.
const provisionPatience = 10 * time.Second

// provision has the broker keep what this release needs, with the bounds that it has.
func provision(ctx context.Context, nc *nats.Conn) error {
	ctx, stop := context.WithTimeout(ctx, provisionPatience)
	defer stop()
	store, err := jobs.Open(nc, jobs.Config{})
	if err != nil {
		return err
	}
	defer store.Close()
	_, err = store.Provision(ctx, suite()...)
	return err
}

// suite returns the names of the services that there are jobs of.
func suite() []string {
	var names []string
	for _, d := range contract.All() {
		if !slices.Contains(names, d.Service) {
			names = append(names, d.Service)
		}
	}
	return names
}

// done and wouldDo are how verdicts are said after and without doing something about them.
var (
	done    = map[jobs.Verdict]string{jobs.Missing: "created", jobs.Different: "changed", jobs.Same: "unchanged", jobs.Newer: "kept"}
	wouldDo = map[jobs.Verdict]string{jobs.Missing: "would create", jobs.Different: "would change", jobs.Same: "unchanged", jobs.Newer: "would keep"}
)

// printFindings prints one line for each stream and consumer.
func printFindings(out io.Writer, found []jobs.Finding, words map[jobs.Verdict]string) {
	for _, f := range found {
		line := words[f.Verdict] + " stream " + f.Stream
		if f.Consumer != "" {
			line = words[f.Verdict] + " consumer " + f.Consumer + " of " + f.Stream
		}
		var changes []string
		for _, d := range f.Differences {
			changes = append(changes, fmt.Sprintf("%s %s → %s", d.Setting, orUnset(d.From), d.To))
		}
		if len(changes) > 0 {
			line += ": " + strings.Join(changes, ", ")
		}
		if f.Verdict == jobs.Newer {
			line += " as a newer release has set it"
		}
		fmt.Fprintln(out, line)
	}
}

func orUnset(value string) string {
	if value == "" {
		return "unset"
	}
	return value
}
