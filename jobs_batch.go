package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
)

// readBatch reads a batch from the file, or from standard input if it is named -.
func readBatch(name string, stdin io.Reader) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(name)
}

// jobsItemsCommand prints the lines of a batch.
type jobsItemsCommand struct {
	jobArgs `embed:""`
}

// Run implements the command.
func (c *jobsItemsCommand) Run(ctx context.Context, s streams) error {
	return withJobs(ctx, c.Bus, func(jobs *client.NATS) error { return printItems(ctx, jobs, c.ID, s.out) })
}

// printItems prints the lines of a batch as they come, and counts them at the end.
func printItems(ctx context.Context, jobs *client.NATS, id string, w io.Writer) error {
	out := &lineOutput{out: bufio.NewWriter(w)}
	last := contract.BatchLine{Done: true}
	for line, err := range jobs.JobLines(ctx, id) {
		if err != nil {
			return err
		}
		if line.Error != nil {
			last.Failed++
		} else {
			last.OK++
		}
		if err := out.Deliver(line); err != nil {
			return err
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
	if err := out.Deliver(last); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if last.Failed > 0 {
		return fmt.Errorf("%d of %d requests failed", last.Failed, last.OK+last.Failed)
	}
	return nil
}
