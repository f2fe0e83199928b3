package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/bus"
)

// queueArgs name a service whose queue is steered.
type queueArgs struct {
	Service string      `arg:"" help:"Name of the service."`
	Bus     bus.Options `embed:""`
}

// jobsQueuesCommand lists the queues.
type jobsQueuesCommand struct {
	JSON bool        `name:"json" help:"Print a document for each queue, one on each line, with its shares by tenant and class."`
	Bus  bus.Options `embed:""`
}

// Run implements the command.
func (c *jobsQueuesCommand) Run(ctx context.Context, s streams) error {
	nc, err := connectNow(ctx, c.Bus)
	if err != nil {
		return err
	}
	defer nc.Close()
	all, err := (&client.NATS{Conn: nc}).JobQueues(ctx)
	if err != nil {
		return err
	}
	if !c.JSON {
		return printQueues(s.out, all.Queues, time.Now())
	}
	for _, q := range all.Queues {
		if err := printLine(s.out, q); err != nil {
			return err
		}
	}
	return nil
}

// printQueues prints a table of queues as they are now.
func printQueues(out io.Writer, queues []contract.JobQueue, now time.Time) error {
	rows := [][]string{{"SERVICE", "STATE", "QUEUED", "TAKEN", "LIMIT", "OLDEST", "HEALED"}}
	for _, q := range queues {
		row := []string{q.Service, "open", strconv.FormatInt(q.Queued, 10), strconv.FormatInt(q.Taken, 10), strconv.FormatInt(q.Limit, 10), "-", ""}
		if !q.PausedUntil.IsZero() {
			row[1] = "paused"
		}
		if !q.Oldest.IsZero() {
			row[5] = roundTime(now.Sub(q.Oldest))
		}
		healed := int64(0)
		for _, n := range q.Healed {
			healed += n
		}
		row[6] = strconv.FormatInt(healed, 10)
		rows = append(rows, row)
	}
	return printColumns(out, rows, "SERVICE", "STATE")
}

// jobsPauseCommand pauses the jobs of a service.
type jobsPauseCommand struct {
	queueArgs `embed:""`
}

// Run implements the command.
func (c *jobsPauseCommand) Run(ctx context.Context, s streams) error {
	return c.steer(ctx, s, (*client.NATS).PauseJobs, "paused")
}

// jobsResumeCommand resumes the jobs of a service.
type jobsResumeCommand struct {
	queueArgs `embed:""`
}

// Run implements the command.
func (c *jobsResumeCommand) Run(ctx context.Context, s streams) error {
	return c.steer(ctx, s, (*client.NATS).ResumeJobs, "open")
}

// steer does something to the queue and says what it is then.
func (c *queueArgs) steer(ctx context.Context, s streams, do func(*client.NATS, context.Context, string) (contract.JobQueue, error), state string) error {
	nc, err := connectNow(ctx, c.Bus)
	if err != nil {
		return err
	}
	defer nc.Close()
	q, err := do(&client.NATS{Conn: nc}, ctx, c.Service)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "jobs of %s are %s: %d queued, %d taken\n", q.Service, state, q.Queued, q.Taken)
	return err
}
