package jobs

import (
	"context"
	"crypto/rand"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/cron"
)

// DefaultSchedules is how many schedules a tenant may have when [Config] names no number.
const DefaultSchedules = 10_000

// atPrefix begins the schedules of the broker that are due once.
const atPrefix = "@at "

// The server's codes for a schedule that it does not take.
const (
	badPattern  = 10189
	badTimeZone = 10223
	noSchedules = 10188 // the stream there is cannot have any
)

// CreateSchedule stores a schedule and returns its document: when the timing says, a job is
// made of the request by whoever serves jobs then ([Serve]). The trace of the submission is
// not kept. With a key, a schedule that was made before is returned, and that it is not new.
//
// It returns a [*contract.Error]: what is wrong with the request or the timing, with the
// field "request" or one of those of [contract.ScheduleRequest];
// [contract.CodeInvalidArgument] if the key was used for another schedule;
// [contract.CodeResourceExhausted] if the tenant has too many schedules, which those who
// make some at the same moment can pass by that number; [contract.CodeRequestTooLarge],
// [contract.CodeUnavailable].
func (s *Store) CreateSchedule(ctx context.Context, job Submission, when contract.Timing) (doc contract.Schedule, isNew bool, err error) {
	if err := validate(job.Endpoint, job.Body); err != nil {
		return doc, false, within("request", err)
	}
	now := time.Now()
	pattern, err := patternOf(when, now)
	if err != nil {
		return doc, false, err
	}
	ref := contract.JobRef{Tenant: job.Tenant, Service: job.Endpoint.Service, Operation: job.Endpoint.Operation}
	if ref.Tenant == "" {
		ref.Tenant = contract.DefaultTenant
	}
	ref.Token = strings.ToLower(rand.Text()[:tokenLength])
	if job.Options.Key != "" {
		ref.Token = macToken(ref, "\x01"+job.Options.Key)
		if err := s.checkUnused(ctx, ref); err != nil {
			return doc, false, err
		}
	}
	m := scheduleMessage(ref, job, when, pattern)
	if err := s.checkRoom(ctx, ref.Tenant); err != nil {
		return doc, false, err
	}
	doc = scheduleOf(ref, m, now)
	switch err := s.storeSchedule(ctx, m); {
	case err == nil:
		return doc, true, nil
	case isMoved(err): // there is one
		doc, err = s.repeatedSchedule(ctx, ref, doc)
		return doc, false, err
	default:
		return doc, false, refusedSchedule(err)
	}
}

// within says of an error of a request where in another one that request is.
func within(field string, err error) error {
	if e, ok := errors.AsType[*contract.Error](err); ok && e.Field != "" {
		return e.At(field)
	}
	return err
}

// patternOf returns the timing as the broker takes it.
func patternOf(when contract.Timing, now time.Time) (string, error) {
	if when.Cron != "" {
		e, err := cron.Parse(when.Cron)
		if err != nil {
			return "", contract.Invalid("cron", "%v; for example, \"30 6 * * 1-5\" is at 6:30 on working days", err)
		}
		zone, err := zoneOf(when.TimeZone)
		if err != nil {
			return "", err
		}
		if e.Next(now.In(zone)).IsZero() {
			return "", contract.Invalid("cron", "is never due: there is no such day in the next five years")
		}
		return e.String(), nil
	}
	// The broker has whole seconds, and a job must not be early.
	at := when.At.UTC().Truncate(time.Second)
	if at.Before(when.At) {
		at = at.Add(time.Second)
	}
	switch {
	case when.At.Before(now):
		return "", contract.Invalid("run_at", "must be in the future; it is %s now", now.UTC().Format(time.RFC3339))
	case when.At.After(now.Add(contract.MaxScheduleAhead)):
		return "", contract.Invalid("run_at", "must be within ten years from now")
	}
	return atPrefix + at.Format(time.RFC3339), nil
}

// zoneOf returns a time zone, UTC for the empty name. That of the machine has no name here:
// brokers are on other machines.
func zoneOf(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, contract.Invalid("time_zone", "must be the name of a time zone, such as Europe/Berlin, America/New_York or UTC").WithCause(err)
	}
	return zone, nil
}

// scheduleMessage returns the message that a schedule is. What the broker stores when it is
// due has the same body and headers, without those of the broker.
func scheduleMessage(ref contract.JobRef, job Submission, when contract.Timing, pattern string) *nats.Msg {
	m := &nats.Msg{Subject: ref.ScheduleSubject(), Data: job.Body, Header: nats.Header{
		jetstream.ScheduleHeader:            {pattern},
		jetstream.ScheduleTargetHeader:      {ref.DueSubject()},
		jetstream.ExpectedLastSubjSeqHeader: {"0"},
	}}
	if when.Cron != "" {
		zone := when.TimeZone
		if zone == "" {
			zone = time.UTC.String()
		}
		m.Header[jetstream.ScheduleTimeZoneHeader] = []string{zone}
	}
	job.Options.Headers(func(header, value string) { m.Header[header] = []string{value} })
	return m
}

// storeSchedule stores a new schedule, in a stream that it makes if there is none.
func (s *Store) storeSchedule(ctx context.Context, m *nats.Msg) error {
	_, _, err := s.store(ctx, m)
	if isNoResponders(err) {
		if err := s.makeSchedules(ctx); err != nil {
			return err
		}
		_, _, err = s.store(ctx, m)
	}
	return err
}

// refusedSchedule explains why the broker did not store a schedule.
func refusedSchedule(err error) error {
	refused, ok := errors.AsType[*refusedError](err)
	switch {
	case ok && refused.code == badTimeZone:
		return contract.Invalid("time_zone", "is not known to the broker; take another one, such as UTC").WithCause(err)
	case ok && refused.code == badPattern:
		return contract.Invalid("cron", "is not taken by the broker, which may be older than 2.14; ask who runs it").WithCause(err)
	case ok && refused.code == noSchedules:
		return contract.Errorf(contract.CodeUnavailable, "the stream %s was made by somebody else and can have no schedules", contract.ScheduleStream).WithCause(err)
	default:
		return unavailable(err)
	}
}

// checkUnused returns an error if a schedule of this name was due once: its job would be taken
// for that of a new one.
func (s *Store) checkUnused(ctx context.Context, ref contract.JobRef) error {
	due, err := s.direct(ctx, contract.ScheduleStream, ref.DueSubject())
	if err != nil && !errors.Is(s.missing(ctx, err, ref), contract.CodeNotFound) {
		return unavailable(err)
	}
	if due == nil || due.Header.Get(jetstream.ScheduleNextHeader) != duePurged {
		if _, err := s.find(ctx, ref); errors.Is(err, contract.CodeNotFound) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return contract.Invalid(contract.HeaderKey, "was used for a schedule that was due and is the job %s now; use a new key", ref.ID())
}

// repeatedSchedule returns the schedule that was made with a key before, if it is the one
// that is wanted.
func (s *Store) repeatedSchedule(ctx context.Context, ref contract.JobRef, wanted contract.Schedule) (contract.Schedule, error) {
	there, err := s.readSchedule(ctx, ref)
	if err != nil {
		return there, err
	}
	if !reflect.DeepEqual(there.ScheduleRequest, wanted.ScheduleRequest) {
		return contract.Schedule{}, contract.Invalid(contract.HeaderKey, "was used for another schedule of %s.%s; delete %s first, or use a new key", ref.Service, ref.Operation, ref.ID())
	}
	return there, nil
}

// scheduleOf returns the document of a schedule that was stored at a time.
func scheduleOf(ref contract.JobRef, m *nats.Msg, created time.Time) contract.Schedule {
	options, _ := contract.ParseJobOptions(m.Header.Get) // of those that cannot be read, what can be
	options.Class = options.WithDefaults().Class
	pattern, zone := m.Header.Get(jetstream.ScheduleHeader), m.Header.Get(jetstream.ScheduleTimeZoneHeader)
	when, next := contract.Timing{Cron: pattern, TimeZone: zone}, time.Time{}
	if at, once := strings.CutPrefix(pattern, atPrefix); once {
		next, _ = time.Parse(time.RFC3339, at) // the broker has read it
		when = contract.Timing{At: next}
	} else if e, err := cron.Parse(pattern); err == nil { // else it was put there by hand
		when.Cron = e.Short()
		if zone, err := time.LoadLocation(zone); err == nil {
			next = e.Next(time.Now().In(zone))
		}
	}
	spec := contract.Spec{Service: ref.Service, Operation: ref.Operation}
	return contract.Schedule{
		ID: ref.ID(), ScheduleRequest: contract.NewScheduleRequest(spec, m.Data, when, options),
		Created: created.UTC().Truncate(time.Microsecond), Next: next.UTC(),
	}
}

// GetSchedule returns the document of a schedule, or a [*contract.Error] with
// [contract.CodeNotFound]: one that was due once is there no more.
func (s *Store) GetSchedule(ctx context.Context, ref contract.JobRef) (contract.Schedule, error) {
	doc, err := s.readSchedule(ctx, ref)
	if err != nil || doc.Cron == "" {
		return doc, err
	}
	// The last job is that of the time span which ends when the next one is due.
	last := occurrence(ref, doc.Next)
	switch _, err := s.find(ctx, last); {
	case err == nil:
		doc.LastJob = last.ID()
	case !errors.Is(err, contract.CodeNotFound):
		return doc, err
	}
	return doc, nil
}

// readSchedule reads a schedule without its last job.
func (s *Store) readSchedule(ctx context.Context, ref contract.JobRef) (contract.Schedule, error) {
	m, err := s.findSchedule(ctx, ref)
	if err != nil {
		return contract.Schedule{}, err
	}
	_, created, err := stored(m)
	return scheduleOf(ref, m, created), err
}

// findSchedule reads the message of a schedule.
func (s *Store) findSchedule(ctx context.Context, ref contract.JobRef) (*nats.Msg, error) {
	m, err := s.direct(ctx, contract.ScheduleStream, ref.ScheduleSubject())
	if err == nil && m != nil {
		return m, nil
	}
	if err != nil && !errors.Is(s.missing(ctx, err, ref), contract.CodeNotFound) {
		return nil, unavailable(err)
	}
	return nil, noSchedule(ref)
}

func noSchedule(ref contract.JobRef) error {
	return contract.Errorf(contract.CodeNotFound, "there is no schedule %s; it never was, was deleted, or was due once and is the job of this id now", ref.ID())
}

// DeleteSchedule ends a schedule: it makes no more jobs, whatever happens to the broker. If
// it was due a moment ago, that job may still be made. Jobs that were made are not touched.
// It returns a [*contract.Error] with [contract.CodeNotFound] if there is no such schedule.
func (s *Store) DeleteSchedule(ctx context.Context, ref contract.JobRef) error {
	m, err := s.findSchedule(ctx, ref)
	if err != nil {
		return err
	}
	sequence, _, err := stored(m)
	if err != nil {
		return err
	}
	err = s.deleteMessage(ctx, contract.ScheduleStream, sequence)
	if refused, ok := errors.AsType[*refusedError](err); ok && refused.code == noMessage {
		return noSchedule(ref) // it was due, or somebody else was faster
	}
	if err != nil {
		return unavailable(err)
	}
	return nil
}

// ListSchedules returns a page of the schedules, in the order in which they were made. It
// returns a [*contract.Error] with [contract.CodeInvalidArgument] for a query that is not
// valid.
func (s *Store) ListSchedules(ctx context.Context, q contract.ScheduleQuery) (contract.ScheduleList, error) {
	list := contract.ScheduleList{Schedules: []contract.Schedule{}}
	if err := q.Validate(); err != nil {
		return list, err
	}
	get := getRequest{Seq: 1, Batch: contract.DefaultJobPage, MaxBytes: listBytes}
	if q.Limit > 0 {
		get.Batch = q.Limit
	}
	if q.Page != "" {
		var err error
		if get.Seq, err = strconv.ParseUint(q.Page, 10, 64); err != nil || get.Seq == 0 {
			return list, contract.Invalid("page", "must be the next of a list with the same query; leave it out for the first page")
		}
	}
	ref := contract.JobRef{Tenant: contract.DefaultTenant, Service: "*", Operation: "*", Token: "*"}
	if q.Service != "" {
		ref.Service = q.Service
	}
	if q.Operation != "" {
		ref.Operation = q.Operation
	}
	get.NextBy = ref.ScheduleSubject()
	var last uint64
	more, err := s.batch(ctx, contract.ScheduleStream, get, func(sequence uint64, m *nats.Msg) {
		last = sequence
		ref, ok := contract.ParseScheduleSubject(m.Subject)
		_, created, err := stored(m)
		if !ok || err != nil { // the broker wrote both
			return
		}
		doc := scheduleOf(ref, m, created)
		doc.Request = nil
		list.Schedules = append(list.Schedules, doc)
	})
	if err != nil && !errors.Is(s.missing(ctx, err, ref), contract.CodeNotFound) {
		return list, unavailable(err)
	}
	if more {
		list.Next = strconv.FormatUint(last+1, 10)
	}
	return list, nil
}

// listBytes bounds the stored schedules of a page: a reply has to hold their documents.
const listBytes = 512 << 10

// checkRoom returns an error if the tenant has as many schedules as there may be. The broker
// cannot refuse them by itself: a stream that schedules messages discards old ones.
func (s *Store) checkRoom(ctx context.Context, tenant string) error {
	all := contract.JobRef{Tenant: tenant, Service: "*", Operation: "*", Token: "*"}.ScheduleSubject()
	count := 0
	_, err := s.batch(ctx, contract.ScheduleStream, getRequest{Seq: 1, NextBy: all, Batch: 1}, func(_ uint64, m *nats.Msg) {
		others, _ := strconv.Atoi(m.Header.Get("Nats-Num-Pending")) // the broker wrote it
		count = 1 + others
	})
	if err != nil && !isNoResponders(err) {
		return unavailable(err)
	}
	if count >= s.cfg.Schedules {
		return contract.Errorf(contract.CodeResourceExhausted, "there are %d schedules, and no more are taken; delete some", count)
	}
	return nil
}
