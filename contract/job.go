package contract

import (
	"encoding/json"
	"time"
)

// JobState is where a job is on its way: queued, running, and then one of the three
// terminal states, in which it stays until it is retried by hand. A running job whose
// attempt fails with an error that can pass is queued again.
type JobState string

// The states of a job.
const (
	JobQueued    JobState = "queued"
	JobRunning   JobState = "running"
	JobSucceeded JobState = "succeeded"
	JobFailed    JobState = "failed"
	JobCanceled  JobState = "canceled"
)

// JobStates returns every state in the order of a job's life.
func JobStates() []JobState {
	return []JobState{JobQueued, JobRunning, JobSucceeded, JobFailed, JobCanceled}
}

// Terminal reports whether a job in the state has ended.
func (s JobState) Terminal() bool {
	return s == JobSucceeded || s == JobFailed || s == JobCanceled
}

// Job is the document that describes a job, the same on every face.
type Job struct {
	// ID names the job: "fibonacci-term-k3x9…". It begins with the service and the
	// operation, so that every tool can find the job's record by it; see [ParseJobID].
	ID        string   `json:"id"`
	Service   string   `json:"service"`
	Operation string   `json:"operation"`
	State     JobState `json:"state"`
	Class     JobClass `json:"class"`
	// Attempt counts the executions so far, from 1 when the first has begun; those that
	// ended because their instance shut down do not count.
	Attempt int `json:"attempt"`
	// Progress is what the solver last said of its work.
	Progress *Progress `json:"progress,omitempty"`
	// Instance is the instance of the last attempt.
	Instance string    `json:"instance,omitempty"`
	Created  time.Time `json:"created"`
	// Started is when the last attempt began, Finished when the job ended.
	Started  time.Time `json:"started,omitzero"`
	Finished time.Time `json:"finished,omitzero"`
	// NotBefore is when a job that is queued again for another attempt may begin.
	NotBefore time.Time `json:"not_before,omitzero"`
	// QueueMS is the time in milliseconds from when the job was queued, by its submission
	// or a retry by hand, to the start of its last attempt.
	QueueMS float64 `json:"queue_ms,omitzero"`
	// Result tells of the result of a job that succeeded.
	Result *JobResult `json:"result,omitempty"`
	// Error is why the job failed, or why its last attempt did.
	Error *Error `json:"error,omitempty"`
	// Items count the requests of a batch; nil for a job that is none.
	Items *JobItems `json:"items,omitempty"`
	// Then is the id of the job that gets the results of a batch once it has succeeded.
	Then string `json:"then,omitempty"`
	// TraceID is the trace that the job belongs to, empty without tracing.
	TraceID string `json:"trace_id,omitempty"`
	// Schedule is the id of the schedule that made the job, empty if none did.
	Schedule string `json:"schedule,omitempty"`
}

// JobResult tells of the result of a job: what it is, and itself if it is small.
type JobResult struct {
	ContentType string `json:"content_type"`
	// Size is the number of bytes.
	Size int64 `json:"size"`
	// Digest is the digest of the result in the form of [FormatDigest].
	Digest string `json:"digest"`
	// Expires is when the result is given up.
	Expires time.Time `json:"expires"`
	// Value is the result itself if it is JSON and small, Text if it is of another type
	// and small. A larger one is in so many Parts in the bucket of results.
	Value json.RawMessage `json:"value,omitempty"`
	Text  string          `json:"text,omitempty"`
	Parts int             `json:"parts,omitempty"`
}

// Inline returns the bytes of a result that the document holds, and whether it does.
func (r *JobResult) Inline() ([]byte, bool) {
	switch {
	case r.Parts > 0:
		return nil, false
	case r.Value != nil:
		return r.Value, true
	default:
		return []byte(r.Text), true
	}
}

// Progress is how far the work on a job has come, in the words of its solver.
type Progress struct {
	// Done of Total units are done. A Total of 0 means that it is not known.
	Done  int64  `json:"done"`
	Total int64  `json:"total,omitempty"`
	Unit  string `json:"unit,omitempty"`
	// Note is a short remark for people.
	Note string `json:"note,omitempty"`
}

// JobClass orders the jobs of a tenant that wait: high ones are given most of the slots
// that get free, but never all, so that normal ones go on.
type JobClass string

// The classes.
const (
	ClassHigh   JobClass = "high"
	ClassNormal JobClass = "normal"
)

// JobClasses returns the classes, the one that goes first first.
func JobClasses() []JobClass { return []JobClass{ClassHigh, ClassNormal} }

// JobRequest names a job, in requests to the jobs service over NATS.
type JobRequest struct {
	ID string `json:"id"`
}

// Validate checks the form of the id.
func (r JobRequest) Validate() error {
	_, err := ParseJobID(r.ID)
	return err
}

// JobResultRequest asks for bytes of the result of a job, over NATS. The reply has them as
// its body, with [HeaderContentType], [HeaderContentRange] and [HeaderDigest].
type JobResultRequest struct {
	ID string `json:"id"`
	// Offset is the first byte wanted, from 0; Length the number of bytes, at most
	// [MaxPart], 0 for as many as fit.
	Offset int64 `json:"offset,omitempty"`
	Length int64 `json:"length,omitempty"`
}

// Validate checks what can be known without the result.
func (r JobResultRequest) Validate() error {
	switch _, err := ParseJobID(r.ID); {
	case err != nil:
		return err
	case r.Offset < 0:
		return Invalid("offset", "must be 0 or above")
	case r.Length < 0 || r.Length > MaxPart:
		return Invalid("length", "must be from 0 to %d", MaxPart)
	}
	return nil
}

// JobItemsRequest asks for lines of a batch that is a job, over NATS: those there are,
// while it runs, and all once it has succeeded. The reply has bytes of them as its body,
// with [HeaderContentRange], whose size is * as long as more may come. Lines are never
// changed, so a reader goes on at the byte after the last one it has.
type JobItemsRequest struct {
	ID string `json:"id"`
	// Offset is the first byte wanted, from 0.
	Offset int64 `json:"offset,omitempty"`
}

// Validate checks what can be known without the job.
func (r JobItemsRequest) Validate() error {
	if r.Offset < 0 {
		return Invalid("offset", "must be 0 or above")
	}
	_, err := ParseJobID(r.ID)
	return err
}

// JobQuery asks for a list of jobs, newest first by their last change; those of the state
// queued or running alone by when they were queued. The zero value asks for all.
type JobQuery struct {
	// Service, Operation and State choose the jobs; empty means any. An operation needs
	// a service.
	Service   string   `json:"service,omitempty"`
	Operation string   `json:"operation,omitempty"`
	State     JobState `json:"state,omitempty"`
	// Limit is the largest number of jobs wanted, from 1 to [MaxJobPage]; 0 means
	// [DefaultJobPage].
	Limit int `json:"limit,omitempty"`
	// Page continues a list where another one ended: its Next.
	Page string `json:"page,omitempty"`
}

// The bounds of one page of a list of jobs.
const (
	DefaultJobPage = 100
	MaxJobPage     = 1000
)

// Validate checks the members but for the page, which only its maker can read.
func (q JobQuery) Validate() error {
	switch {
	case q.Service != "" && !name.MatchString(q.Service):
		return Invalid("service", "must be the name of a service, such as fibonacci")
	case q.Operation != "" && !name.MatchString(q.Operation):
		return Invalid("operation", "must be the name of an operation, such as term")
	case q.Operation != "" && q.Service == "":
		return Invalid("operation", "needs a service")
	case q.State != "" && !isJobState(q.State):
		return Invalid("state", "must be one of queued, running, succeeded, failed, canceled")
	case q.Limit < 0 || q.Limit > MaxJobPage:
		return Invalid("limit", "must be from 1 to %d", MaxJobPage)
	}
	return nil
}

func isJobState(s JobState) bool { return s == JobQueued || s == JobRunning || s.Terminal() }

// JobList is one page of a list of jobs. The jobs have no results with them.
type JobList struct {
	Jobs []Job `json:"jobs"`
	// Next continues the list as the Page of the same query; empty means that there are
	// no more.
	Next string `json:"next,omitempty"`
}
