package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/bus"
)

// jobsScheduleCommand is what can be done about schedules.
type jobsScheduleCommand struct {
	Add    scheduleAddCommand    `cmd:"" default:"withargs" help:"Have a request done as a job at a time, or again and again, and print the schedule's id. May be left out: heddle jobs schedule fibonacci.term …"`
	List   scheduleListCommand   `cmd:"" help:"List schedules, in the order in which they were made."`
	Get    scheduleGetCommand    `cmd:"" help:"Print the document of a schedule."`
	Delete scheduleDeleteCommand `cmd:"" help:"End a schedule. Jobs that it has made are not touched."`
}

// withSchedules calls use with a connection to the jobs service.
func withSchedules(ctx context.Context, o bus.Options, use func(*client.NATS) error) error {
	nc, err := connectNow(ctx, o)
	if err != nil {
		return err
	}
	defer nc.Close()
	return use(&client.NATS{Conn: nc})
}

// scheduleArgs name a schedule.
type scheduleArgs struct {
	ID  string      `arg:"" name:"id" help:"The id of the schedule, as add and list print it."`
	Bus bus.Options `embed:""`
}

// scheduleAddCommand makes a schedule.
type scheduleAddCommand struct {
	requestArgs `embed:""`
	Cron        string            `help:"When, again and again: minute, hour, day of the month, month, day of the week; or six fields with the second first; or @hourly, @daily, @weekly, @monthly, @yearly." xor:"when" required:"" placeholder:"EXPRESSION"`
	At          string            `help:"When, once: 2026-12-01T06:00:00Z, or 2026-12-01T06:00 in the time zone." xor:"when" required:"" placeholder:"TIME"`
	In          time.Duration     `help:"In how long, once." xor:"when" required:"" placeholder:"DURATION"`
	TimeZone    string            `help:"Time zone of --cron and --at, such as Europe/Berlin. Default: UTC." placeholder:"NAME"`
	Key         string            `help:"Makes it repeatable: the same key with the same schedule is the same schedule."`
	Class       contract.JobClass `help:"Of the jobs: high goes before normal: ${enum}." enum:"high,normal" default:"normal"`
	RunLimit    time.Duration     `help:"Longest time of one attempt. Default: 24h." placeholder:"DURATION"`
	QueueLimit  time.Duration     `help:"Longest time before the first attempt. Default: none." placeholder:"DURATION"`
	Attempts    int               `help:"Largest number of attempts. Default: 5." placeholder:"N"`
	Retention   time.Duration     `help:"How long results are kept. Default: 6h." placeholder:"DURATION"`
	Text        bool              `help:"Keep the plain-text form of results: bare digits."`
	JSON        bool              `name:"json" help:"Print the document of the schedule instead of its id."`
	Bus         bus.Options       `embed:""`
}

// Help teaches by example.
func (scheduleAddCommand) Help() string {
	return `Examples:
  heddle jobs schedule crawler.links url=https://example.com/ --cron '30 6 * * 1-5' --time-zone Europe/Berlin
  heddle jobs schedule sqrt.root x=2 digits=1000000 --in 10m
  heddle jobs schedule fibonacci.term '{"n":100}' --at 2030-01-01T00:00:00Z --key newyear`
}

// Run implements the command.
func (c *scheduleAddCommand) Run(ctx context.Context, s streams) error {
	operation, err := find(c.Operation)
	if err != nil {
		return err
	}
	body, err := c.body(operation, s.in)
	if err != nil {
		return err
	}
	when, err := c.timing(time.Now())
	if err != nil {
		return err
	}
	o := contract.JobOptions{Class: c.Class, RunLimit: c.RunLimit, QueueLimit: c.QueueLimit, Attempts: c.Attempts, Retention: c.Retention}
	if c.Text {
		o.Accept = contract.MediaText
	}
	return withSchedules(ctx, c.Bus, func(schedules *client.NATS) error {
		schedule, err := schedules.CreateSchedule(ctx, contract.NewScheduleRequest(operation.Spec, body, when, o), c.Key)
		switch {
		case err != nil:
			return err
		case c.JSON:
			return printDocument(s.out, schedule)
		}
		if isTerminal(s.err) {
			fmt.Fprintf(s.err, "Due next at %s\n", dueText(schedule, time.Now()))
		}
		_, err = fmt.Fprintln(s.out, schedule.ID)
		return err
	})
}

// timing reads when the jobs are wanted.
func (c *scheduleAddCommand) timing(now time.Time) (contract.Timing, error) {
	switch {
	case c.Cron != "":
		return contract.Timing{Cron: c.Cron, TimeZone: c.TimeZone}, nil
	case c.In != 0:
		return contract.Timing{At: now.Add(c.In)}, nil
	}
	if at, err := time.Parse(time.RFC3339, c.At); err == nil {
		return contract.Timing{At: at}, nil
	}
	zone, err := time.LoadLocation(c.TimeZone)
	if err != nil {
		return contract.Timing{}, contract.Invalid("time_zone", "must be the name of a time zone, such as Europe/Berlin or UTC").WithCause(err)
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", time.DateTime, "2006-01-02 15:04"} {
		if at, err := time.ParseInLocation(layout, c.At, zone); err == nil {
			return contract.Timing{At: at}, nil
		}
	}
	return contract.Timing{}, contract.Invalid("at", "must be a time such as 2026-12-01T06:00:00Z, or 2026-12-01T06:00 in the time zone")
}

// scheduleListCommand lists schedules.
type scheduleListCommand struct {
	Service string      `help:"Only schedules of this service." placeholder:"NAME"`
	Limit   int         `help:"Largest number of schedules." default:"100"`
	JSON    bool        `name:"json" help:"Print a document for each schedule, one on each line."`
	Bus     bus.Options `embed:""`
}

// Run implements the command.
func (c *scheduleListCommand) Run(ctx context.Context, s streams) error {
	query := contract.ScheduleQuery{Service: c.Service, Limit: c.Limit}
	if err := query.Validate(); err != nil {
		return err
	}
	return withSchedules(ctx, c.Bus, func(schedules *client.NATS) error {
		list, err := schedules.ListSchedules(ctx, query)
		if err != nil {
			return err
		}
		if c.JSON {
			for _, schedule := range list.Schedules {
				if err := printLine(s.out, schedule); err != nil {
					return err
				}
			}
			return nil
		}
		if err := printSchedules(s.out, list.Schedules, time.Now()); err != nil || list.Next == "" {
			return err
		}
		_, err = fmt.Fprintf(s.err, "There are more; list up to %d with --limit.\n", contract.MaxJobPage)
		return err
	})
}

// printSchedules prints a table of schedules as they are now.
func printSchedules(out io.Writer, schedules []contract.Schedule, now time.Time) error {
	rows := [][]string{{"SCHEDULE", "CLASS", "CRON", "TIME ZONE", "NEXT"}}
	for _, schedule := range schedules {
		row := []string{schedule.ID, string(schedule.Class), schedule.Cron, schedule.TimeZone, dueText(schedule, now)}
		if schedule.Cron == "" {
			row[2], row[3] = "once", "-"
		}
		rows = append(rows, row)
	}
	return printColumns(out, rows, rows[0]...)
}

// dueText says when a schedule is due next, in its time zone.
func dueText(schedule contract.Schedule, now time.Time) string {
	if schedule.Next.IsZero() {
		return "-"
	}
	next := schedule.Next
	if zone, err := time.LoadLocation(schedule.TimeZone); err == nil { // the broker knew it
		next = next.In(zone)
	}
	return next.Format("Mon 2006-01-02 15:04:05 MST") + ", in " + longTime(next.Sub(now))
}

// longTime writes a time for a person, in days if it has any.
func longTime(d time.Duration) string {
	const day = 24 * time.Hour
	if d < 2*day {
		return roundTime(d)
	}
	return fmt.Sprintf("%d days", d/day)
}

// scheduleGetCommand prints a document.
type scheduleGetCommand struct {
	scheduleArgs `embed:""`
}

// Run implements the command.
func (c *scheduleGetCommand) Run(ctx context.Context, s streams) error {
	return withSchedules(ctx, c.Bus, func(schedules *client.NATS) error {
		schedule, err := schedules.GetSchedule(ctx, c.ID)
		if err != nil {
			return err
		}
		return printDocument(s.out, schedule)
	})
}

// scheduleDeleteCommand deletes a schedule.
type scheduleDeleteCommand struct {
	scheduleArgs `embed:""`
}

// Run implements the command.
func (c *scheduleDeleteCommand) Run(ctx context.Context, s streams) error {
	return withSchedules(ctx, c.Bus, func(schedules *client.NATS) error {
		if err := schedules.DeleteSchedule(ctx, c.ID); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "%s is deleted\n", c.ID)
		return err
	})
}
