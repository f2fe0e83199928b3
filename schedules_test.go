package main_test

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
)

// makeSchedule makes a schedule and keeps its id in a variable.
func makeSchedule(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: schedule VARIABLE [ARG...]")
	}
	ts.Check(ts.Exec("heddle", append([]string{"jobs", "schedule"}, args[1:]...)...))
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// awaitDue waits until a schedule that is due once is the job of its id. Nobody tells of
// that, so it looks.
func awaitDue(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: due ID")
	}
	nc, err := nats.Connect(ts.Getenv("NATS_URL"))
	ts.Check(err)
	defer nc.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		_, err := (&client.NATS{Conn: nc}).GetJob(ctx, args[0])
		if !errors.Is(err, contract.CodeNotFound) {
			ts.Check(err)
			return
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			ts.Fatalf("there is no job %s", args[0])
		}
	}
}
