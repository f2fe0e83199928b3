package contract

import (
	"errors"
	"strings"
)

// ScheduleStream is the name of the stream that holds the schedules, each as one message,
// and what is due until it is a job.
const ScheduleStream = "HEDDLE_SCHEDULES"

// DueConsumer is the name of the durable consumer from which the jobs service takes what is
// due.
const DueConsumer = "due"

// scheduleWord is the token of subjects of schedules where others have the service.
const scheduleWord = "schedules"

// ParseScheduleID reads the id of a schedule of the default tenant. It returns an [*Error]
// with [CodeNotFound] for what cannot be an id.
func ParseScheduleID(id string) (JobRef, error) {
	ref, err := ParseJobID(id)
	if errors.Is(err, CodeNotFound) {
		err = Errorf(CodeNotFound, "there is no schedule with this id; ids look like fibonacci-term-k3x9p2")
	}
	return ref, err
}

// ScheduleSubject returns the subject on which the schedule is stored. The message there is
// the whole schedule: its body is the request. Tokens may be wildcards.
//
//	heddle.v1.t.<tenant>.schedule.<service>.<operation>.<token>
func (r JobRef) ScheduleSubject() string { return r.timed("schedule") }

// DueSubject returns the subject on which the broker stores that the schedule is due, with
// the schedule's request and headers. Tokens may be wildcards.
//
//	heddle.v1.t.<tenant>.due.<service>.<operation>.<token>
func (r JobRef) DueSubject() string { return r.timed("due") }

func (r JobRef) timed(word string) string {
	return subjectPrefix + "t." + r.Tenant + "." + word + "." + r.Service + "." + r.Operation + "." + r.Token
}

// ParseScheduleSubject reads what [JobRef.ScheduleSubject] wrote.
func ParseScheduleSubject(subject string) (JobRef, bool) { return parseTimed("schedule", subject) }

// ParseDueSubject reads what [JobRef.DueSubject] wrote.
func ParseDueSubject(subject string) (JobRef, bool) { return parseTimed("due", subject) }

func parseTimed(word, subject string) (JobRef, bool) {
	rest, ok := strings.CutPrefix(subject, subjectPrefix+"t.")
	t := strings.Split(rest, ".")
	if !ok || len(t) != 5 || t[1] != word {
		return JobRef{}, false
	}
	return JobRef{Tenant: t[0], Service: t[2], Operation: t[3], Token: t[4]}, true
}

// SchedulesSubject returns the subject of a verb about schedules: create, list, get, delete.
// The jobs service answers there, in the queue group [JobsGroup].
//
//	heddle.v1.schedules.<verb>
func SchedulesSubject(verb string) string { return subjectPrefix + scheduleWord + "." + verb }
