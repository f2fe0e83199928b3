package client

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
)

// Schedule has a request to an endpoint made a durable job when the timing says, whatever
// becomes of the caller. With a Key in the options it may be repeated, say at every start of
// a program, and is the same schedule.
//
//	when := contract.Timing{Cron: "30 6 * * 1-5", TimeZone: "Europe/Berlin"}
//	s, err := client.Schedule(ctx, c, contract.FibonacciTerm, contract.TermRequest{N: "100"}, when, contract.JobOptions{})
//
// The job of a Timing with At has the id of the schedule: [JobOf] makes it, once it is due.
// A request or a timing that is not valid is refused at once, with
// [contract.CodeInvalidArgument]; too many schedules are [contract.CodeResourceExhausted].
func Schedule[Req contract.Request, Res any](ctx context.Context, c *NATS, e contract.Endpoint[Req, Res], request Req, when contract.Timing, o contract.JobOptions) (contract.Schedule, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return contract.Schedule{}, fmt.Errorf("encode request for %s: %w", e.Name(), err)
	}
	if _, ok := any(*new(Res)).(contract.Lines); ok && o.Accept == "" {
		o.Accept = contract.MediaJSON // else the result would come line by line
	}
	return c.CreateSchedule(ctx, contract.NewScheduleRequest(e.Spec, body, when, o), o.Key)
}

// CreateSchedule stores a schedule of any operation and returns its document, as [Schedule]
// does. With a key that is not empty it may be repeated and is the same schedule.
func (c *NATS) CreateSchedule(ctx context.Context, request contract.ScheduleRequest, key string) (contract.Schedule, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return contract.Schedule{}, fmt.Errorf("encode request for a schedule: %w", err)
	}
	m := nats.NewMsg(contract.SchedulesSubject("create"))
	m.Data = body
	if key != "" {
		m.Header.Set(contract.HeaderKey, key)
	}
	return decodeJob[contract.Schedule](c.ask(ctx, m))
}

// GetSchedule returns the document of a schedule, or [contract.CodeNotFound]: one that was
// due once is there no more.
func (c *NATS) GetSchedule(ctx context.Context, id string) (contract.Schedule, error) {
	return decodeJob[contract.Schedule](c.doSchedule(ctx, "get", contract.ScheduleID{ID: id}))
}

// ListSchedules returns one page of the schedules, in the order in which they were made and
// without their requests.
func (c *NATS) ListSchedules(ctx context.Context, query contract.ScheduleQuery) (contract.ScheduleList, error) {
	return decodeJob[contract.ScheduleList](c.doSchedule(ctx, "list", query))
}

// DeleteSchedule ends a schedule, or returns [contract.CodeNotFound]. A job that was due a
// moment ago may still be made; those that were made are not touched.
func (c *NATS) DeleteSchedule(ctx context.Context, id string) error {
	_, err := c.doSchedule(ctx, "delete", contract.ScheduleID{ID: id})
	return err
}

// doSchedule sends a request to a verb about schedules.
func (c *NATS) doSchedule(ctx context.Context, verb string, request any) (*nats.Msg, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("encode request about schedules: %w", err)
	}
	m := nats.NewMsg(contract.SchedulesSubject(verb))
	m.Data = body
	return c.ask(ctx, m)
}
