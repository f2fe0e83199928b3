package contract

import (
	"regexp"
	"strconv"
	"strings"
)

// DefaultTenant is whose work it is where nobody is told apart.
const DefaultTenant = "default"

const (
	// JobBucket is the name of the key-value bucket with the records of jobs, one
	// document ([Job]) for each under its [JobRef.Key].
	JobBucket = "HEDDLE_JOBS"

	// ResultBucket is the name of the key-value bucket with the parts of results that
	// are too large for a record, each under a key of [JobRef.PartKey].
	ResultBucket = "HEDDLE_RESULTS"

	// EndedBucket is the name of the key-value bucket that finds jobs which failed or were
	// canceled without reading all records. Its entries are empty and only hints: the
	// record says what the job is.
	EndedBucket = "HEDDLE_ENDED"
)

// JobRef names a job: whose it is, what it asks for, and a token that tells it from
// others.
type JobRef struct {
	Tenant, Service, Operation, Token string
}

// token is the form of what tells jobs apart. Direct publishers may choose their own.
var token = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// ID returns the id of the job, which does not name the tenant.
//
//	<service>-<operation>-<token>
func (r JobRef) ID() string { return r.Service + "-" + r.Operation + "-" + r.Token }

// ParseJobID reads the id of a job of the default tenant. It returns an [*Error] with
// [CodeNotFound] for what cannot be an id.
func ParseJobID(id string) (JobRef, error) {
	service, rest, _ := strings.Cut(id, "-")
	operation, rest, found := strings.Cut(rest, "-")
	if !found || !name.MatchString(service) || !name.MatchString(operation) || !token.MatchString(rest) {
		return JobRef{}, Errorf(CodeNotFound, "there is no job with this id; ids look like fibonacci-term-k3x9p2")
	}
	return JobRef{Tenant: DefaultTenant, Service: service, Operation: operation, Token: rest}, nil
}

// Key returns the key of the job's record in the bucket [JobBucket].
//
//	<tenant>.<service>.<operation>.<token>
func (r JobRef) Key() string {
	return r.Tenant + "." + r.Service + "." + r.Operation + "." + r.Token
}

// ParseJobKey reads what [JobRef.Key] wrote.
func ParseJobKey(key string) (JobRef, bool) {
	t := strings.Split(key, ".")
	if len(t) != 4 {
		return JobRef{}, false
	}
	return JobRef{Tenant: t[0], Service: t[1], Operation: t[2], Token: t[3]}, true
}

// RecordSubject returns the subject that stores the record, as key-value buckets have it.
//
//	$KV.HEDDLE_JOBS.<tenant>.<service>.<operation>.<token>
func (r JobRef) RecordSubject() string { return "$KV." + JobBucket + "." + r.Key() }

// ParseRecordSubject reads what [JobRef.RecordSubject] wrote.
func ParseRecordSubject(subject string) (JobRef, bool) {
	key, ok := strings.CutPrefix(subject, "$KV."+JobBucket+".")
	if !ok {
		return JobRef{}, false
	}
	return ParseJobKey(key)
}

// EndedSubject returns the subject that stores the hint that the job ended in the state;
// tokens may be wildcards.
//
//	$KV.HEDDLE_ENDED.<tenant>.<service>.<state>.<operation>.<token>
func (r JobRef) EndedSubject(state JobState) string {
	return "$KV." + EndedBucket + "." + r.Tenant + "." + r.Service + "." + string(state) + "." + r.Operation + "." + r.Token
}

// ParseEndedSubject reads what [JobRef.EndedSubject] wrote.
func ParseEndedSubject(subject string) (JobRef, bool) {
	rest, ok := strings.CutPrefix(subject, "$KV."+EndedBucket+".")
	t := strings.Split(rest, ".")
	if !ok || len(t) != 5 {
		return JobRef{}, false
	}
	return JobRef{Tenant: t[0], Service: t[1], Operation: t[3], Token: t[4]}, true
}

// PartKey returns the key of a part of the result in the bucket [ResultBucket]: the n-th,
// from 0, that the attempt wrote.
//
//	<tenant>.<service>.<operation>.<token>.<attempt>.<n>
func (r JobRef) PartKey(attempt, n int) string {
	return r.Key() + "." + strconv.Itoa(attempt) + "." + strconv.Itoa(n)
}

// PartSubject returns the subject that stores a part of the result.
func (r JobRef) PartSubject(attempt, n int) string {
	return "$KV." + ResultBucket + "." + r.PartKey(attempt, n)
}

// WorkSubject returns the subject on which the job is queued. The message there is the
// whole job: its body is the request. A trusted publisher may put one there.
//
//	heddle.v1.t.<tenant>.work.<service>.<class>.<operation>.<token>
func (r JobRef) WorkSubject(class JobClass) string {
	return WorkSubjects(r.Tenant, r.Service, class) + r.Operation + "." + r.Token
}

// WorkSubjects returns the beginning of the work subjects of a tenant's jobs of one class;
// tenant "*" and class "*" stand for all.
func WorkSubjects(tenant, service string, class JobClass) string {
	return subjectPrefix + "t." + tenant + ".work." + service + "." + string(class) + "."
}

// ParseWorkSubject reads what [JobRef.WorkSubject] wrote.
func ParseWorkSubject(subject string) (JobRef, JobClass, bool) {
	rest, ok := strings.CutPrefix(subject, subjectPrefix+"t.")
	t := strings.Split(rest, ".")
	if !ok || len(t) != 6 || t[1] != "work" {
		return JobRef{}, "", false
	}
	return JobRef{Tenant: t[0], Service: t[2], Operation: t[4], Token: t[5]}, JobClass(t[3]), true
}

// WorkStream returns the name of the stream that holds the queued jobs of a service.
//
//	HEDDLE_WORK_<service>
func WorkStream(service string) string { return "HEDDLE_WORK_" + service }

// WorkConsumer returns the name of the durable consumer from which instances take the
// queued jobs of a tenant and a class.
//
//	<class>-<tenant>
func WorkConsumer(class JobClass, tenant string) string { return string(class) + "-" + tenant }

// EventSubject returns the subject on which every record of the job is published when it
// is stored; tokens may be wildcards.
//
//	heddle.v1.t.<tenant>.event.<service>.<operation>.<token>
func (r JobRef) EventSubject() string {
	return subjectPrefix + "t." + r.Tenant + ".event." + r.Service + "." + r.Operation + "." + r.Token
}

// CancelSubject returns the subject on which instances hear that the job was canceled;
// tokens may be wildcards.
//
//	heddle.v1.t.<tenant>.canceled.<service>.<operation>.<token>
func (r JobRef) CancelSubject() string {
	return subjectPrefix + "t." + r.Tenant + ".canceled." + r.Service + "." + r.Operation + "." + r.Token
}

// ParseCancelSubject reads what [JobRef.CancelSubject] wrote.
func ParseCancelSubject(subject string) (JobRef, bool) {
	rest, ok := strings.CutPrefix(subject, subjectPrefix+"t.")
	t := strings.Split(rest, ".")
	if !ok || len(t) != 5 || t[1] != "canceled" {
		return JobRef{}, false
	}
	return JobRef{Tenant: t[0], Service: t[2], Operation: t[3], Token: t[4]}, true
}

// JobsSubject returns the subject of a verb of the jobs service: get, list, cancel, retry,
// result; queues, pause, resume.
//
//	heddle.v1.jobs.<verb>
func JobsSubject(verb string) string { return subjectPrefix + "jobs." + verb }

// SubmitSubject returns the subject on which the jobs service takes a job of the
// operation; tokens may be wildcards.
//
//	heddle.v1.jobs.submit.<service>.<operation>
func SubmitSubject(service, operation string) string {
	return JobsSubject("submit") + "." + service + "." + operation
}

// JobsGroup is the queue group of the jobs service.
const JobsGroup = "jobs"
