package contract

import (
	"encoding/json"
	"time"
)

// HeaderSchedule is, on a queued job, the id of the schedule that made it.
const HeaderSchedule = "Heddle-Schedule"

const (
	// MaxScheduleAhead is how far ahead a time may be at which a job is to be made: ten
	// years.
	MaxScheduleAhead = 10 * 365 * 24 * time.Hour

	// maxScheduleText is the longest cron expression, time zone and accepted media type of
	// a schedule, in bytes.
	maxScheduleText = 255
)

// ScheduleRequest asks for a schedule: a request that is to become a job once, at a time,
// or again and again. The members after the time zone are those of [JobOptions].
type ScheduleRequest struct {
	// Service and Operation are what is asked.
	Service   string `json:"service"`
	Operation string `json:"operation"`
	// Request is the request to the operation, a JSON object.
	Request json.RawMessage `json:"request,omitempty"`
	// RunAt is the time of a job that is made once, as in RFC 3339: "2026-12-01T06:00:00Z".
	// It is rounded up to a whole second. There is either RunAt or Cron.
	RunAt string `json:"run_at,omitempty"`
	// Cron says when jobs are made again and again: "0 6 * * 1-5".
	Cron string `json:"cron,omitempty"`
	// TimeZone is that of Cron, by its IANA name; empty means UTC.
	TimeZone string `json:"time_zone,omitempty"`

	Class      JobClass `json:"class,omitempty"`
	Accept     string   `json:"accept,omitempty"`
	RunLimit   string   `json:"run_limit,omitempty"`
	QueueLimit string   `json:"queue_limit,omitempty"`
	Attempts   int      `json:"attempts,omitempty"`
	Retention  string   `json:"retention,omitempty"`
}

// Timing says when the jobs of a schedule are made: once, At, or whenever Cron says in the
// time zone.
type Timing struct {
	// At is the time of the one job. It is zero if there is a Cron.
	At time.Time
	// Cron has five fields, minute, hour, day of the month, month and day of the week, or
	// six with the second first, or is one of @hourly, @daily, @weekly, @monthly, @yearly.
	Cron string
	// TimeZone is an IANA name such as Europe/Berlin; empty means UTC. Without a Cron it
	// has no meaning.
	TimeZone string
}

// NewScheduleRequest returns the request for a schedule of an operation. The key is no part
// of it: it travels as [HeaderKey].
func NewScheduleRequest(operation Spec, body []byte, when Timing, o JobOptions) ScheduleRequest {
	limit := func(d time.Duration) string {
		if d == 0 {
			return ""
		}
		return d.String()
	}
	r := ScheduleRequest{
		Service: operation.Service, Operation: operation.Operation, Request: body, Cron: when.Cron, TimeZone: when.TimeZone,
		Class: o.Class, Accept: o.Accept, RunLimit: limit(o.RunLimit), QueueLimit: limit(o.QueueLimit), Attempts: o.Attempts, Retention: limit(o.Retention),
	}
	if !when.At.IsZero() {
		r.RunAt = when.At.UTC().Format(time.RFC3339Nano)
	}
	return r
}

// Validate checks what can be known without the operation, the time and the zones.
func (r ScheduleRequest) Validate() error {
	switch {
	case r.Service == "":
		return Invalid("service", "is missing; send the name of a service, such as fibonacci")
	case r.Operation == "":
		return Invalid("operation", "is missing; send the name of an operation of the service, such as term")
	case len(r.Request) == 0:
		return Invalid("request", "is missing; send the request to the operation, such as {\"n\":100}")
	case r.Request[0] != '{':
		return Invalid("request", "must be a JSON object, the request to the operation")
	}
	if _, err := r.Timing(); err != nil {
		return err
	}
	_, err := r.Options()
	return err
}

// Timing reads when jobs are wanted. It does not read the cron expression, nor look for the
// time zone.
func (r ScheduleRequest) Timing() (Timing, error) {
	switch {
	case r.RunAt == "" && r.Cron == "":
		return Timing{}, Invalid("run_at", "is missing; send either run_at, such as \"2026-12-01T06:00:00Z\", or cron, such as \"0 6 * * 1-5\"")
	case r.RunAt != "" && r.Cron != "":
		return Timing{}, Invalid("cron", "must not be there together with run_at; send one of them")
	case r.RunAt != "" && r.TimeZone != "":
		return Timing{}, Invalid("time_zone", "belongs to cron; run_at has its zone with it, as in \"2026-12-01T06:00:00+01:00\"")
	case len(r.Cron) > maxScheduleText:
		return Timing{}, Invalid("cron", "must have at most %d bytes", maxScheduleText)
	case len(r.TimeZone) > maxScheduleText:
		return Timing{}, Invalid("time_zone", "must have at most %d bytes", maxScheduleText)
	case r.Cron != "":
		return Timing{Cron: r.Cron, TimeZone: r.TimeZone}, nil
	}
	at, err := time.Parse(time.RFC3339, r.RunAt)
	if err != nil {
		return Timing{}, Invalid("run_at", "must be a time as in RFC 3339, such as \"2026-12-01T06:00:00Z\" or \"2026-12-01T06:00:00+01:00\"")
	}
	return Timing{At: at}, nil
}

// Options reads how the jobs are to be done.
func (r ScheduleRequest) Options() (o JobOptions, err error) {
	o.Class, o.Accept, o.Attempts = r.Class, r.Accept, r.Attempts
	switch {
	case r.Class != "" && r.Class != ClassHigh && r.Class != ClassNormal:
		return o, Invalid("class", "must be high or normal")
	case len(r.Accept) > maxScheduleText || !isHeaderValue(r.Accept):
		return o, Invalid("accept", "must be media types, such as text/plain, of at most %d visible characters", maxScheduleText)
	case r.Attempts < 0 || r.Attempts > MaxAttempts:
		return o, Invalid("attempts", "must be a whole number from 1 to %d", MaxAttempts)
	}
	if o.RunLimit, err = parseJobTime("run_limit", r.RunLimit); err != nil {
		return o, err
	}
	if o.QueueLimit, err = parseJobTime("queue_limit", r.QueueLimit); err != nil {
		return o, err
	}
	o.Retention, err = parseJobTime("retention", r.Retention)
	return o, err
}

// isHeaderValue reports whether a text can be the value of a header.
func isHeaderValue(text string) bool {
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// Schedule is the document that describes a schedule, the same on every face. Times in it
// are UTC.
type Schedule struct {
	// ID names the schedule as jobs are named: "fibonacci-term-k3x9…". The one job of a
	// schedule with RunAt has the same id.
	ID string `json:"id"`
	ScheduleRequest
	Created time.Time `json:"created"`
	// Next is when the next job is due.
	Next time.Time `json:"next,omitzero"`
	// LastJob is the id of the last job of a schedule with Cron, as long as that is known.
	// Lists do not have it, nor the Request.
	LastJob string `json:"last_job,omitempty"`
}

// ScheduleID names a schedule, in requests over NATS.
type ScheduleID struct {
	ID string `json:"id"`
}

// ScheduleQuery asks for a list of schedules in the order in which they were made. The zero
// value asks for all.
type ScheduleQuery struct {
	// Service and Operation choose the schedules; empty means any. An operation needs a
	// service.
	Service   string `json:"service,omitempty"`
	Operation string `json:"operation,omitempty"`
	// Limit is the largest number of schedules wanted, from 1 to [MaxJobPage]; 0 means
	// [DefaultJobPage]. There may be fewer and still more to come.
	Limit int `json:"limit,omitempty"`
	// Page continues a list where another one ended: its Next.
	Page string `json:"page,omitempty"`
}

// Validate checks the members but for the page, which only its maker can read.
func (q ScheduleQuery) Validate() error {
	return JobQuery{Service: q.Service, Operation: q.Operation, Limit: q.Limit}.Validate()
}

// ScheduleList is one page of a list of schedules, without their requests.
type ScheduleList struct {
	Schedules []Schedule `json:"schedules"`
	// Next continues the list as the Page of the same query; empty means that there are
	// no more.
	Next string `json:"next,omitempty"`
}
