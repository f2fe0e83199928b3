package client_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
)

// TestSchedule has a term computed in a second, and waits for it by the id of the schedule.
func TestSchedule(t *testing.T) {
	t.Parallel()
	c, begin := startJobs(t)
	begin(fib.Service())
	ctx, cancel := context.WithTimeout(t.Context(), jobPatience)
	defer cancel()
	once, err := client.Schedule(ctx, c, contract.FibonacciTerm, contract.TermRequest{N: "100"}, contract.Timing{At: time.Now().Add(time.Second)}, contract.JobOptions{})
	if err != nil {
		t.Fatal(err)
	}
	when, o := contract.Timing{Cron: "30 6 * * 1-5", TimeZone: "Europe/Berlin"}, contract.JobOptions{Key: "a", RunLimit: time.Minute}
	daily, err := client.Schedule(ctx, c, contract.FibonacciSequence, contract.SequenceRequest{From: "1", To: "5"}, when, o)
	if err != nil || daily.Accept != contract.MediaJSON || daily.RunLimit != "1m0s" {
		t.Fatalf("made %+v, %v", daily, err)
	}
	if again, err := client.Schedule(ctx, c, contract.FibonacciSequence, contract.SequenceRequest{From: "1", To: "5"}, when, o); err != nil || again.ID != daily.ID {
		t.Errorf("the same key made %s after %s, %v", again.ID, daily.ID, err)
	}
	if there, err := c.GetSchedule(ctx, daily.ID); err != nil || there.Cron != when.Cron || there.TimeZone != when.TimeZone {
		t.Errorf("got %+v, %v", there, err)
	}
	if list, err := c.ListSchedules(ctx, contract.ScheduleQuery{Service: "fibonacci", Operation: "sequence"}); err != nil || len(list.Schedules) != 1 || list.Schedules[0].ID != daily.ID {
		t.Errorf("listed %+v, %v", list, err)
	}
	for _, want := range []error{nil, contract.CodeNotFound} {
		if err := c.DeleteSchedule(ctx, daily.ID); !errors.Is(err, want) {
			t.Errorf("deleted: %v, want %v", err, want)
		}
	}
	job, err := client.JobOf(c, contract.FibonacciTerm, once.ID)
	if err != nil {
		t.Fatal(err)
	}
	brokertest.Await(t, "the schedule is a job", func() bool { _, err := job.Get(ctx); return err == nil })
	if term, err := job.Wait(ctx); err != nil || term.Value != "354224848179261915075" {
		t.Errorf("got %+v, %v", term, err)
	}
	if _, err := client.Schedule(ctx, c, contract.FibonacciTerm, contract.TermRequest{N: "x"}, when, o); !errors.Is(err, contract.CodeInvalidArgument) {
		t.Errorf("a bad request: %v", err)
	}
}
