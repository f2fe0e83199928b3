package contract

import (
	"strconv"
	"time"
)

// Headers that say how a job is to be done. They go with its submission and stay with it
// while it is queued.
const (
	// HeaderKey makes a submission repeatable: the same key with the same request is
	// the same job.
	HeaderKey = "Idempotency-Key"
	// HeaderClass is the [JobClass].
	HeaderClass = "Heddle-Class"
	// HeaderRunLimit is the longest time an attempt may take, as a Go duration.
	HeaderRunLimit = "Heddle-Run-Limit"
	// HeaderQueueLimit is the longest time the job may wait for its first attempt.
	HeaderQueueLimit = "Heddle-Queue-Limit"
	// HeaderAttempts is the largest number of attempts.
	HeaderAttempts = "Heddle-Attempts"
	// HeaderRetention is how long the result is kept.
	HeaderRetention = "Heddle-Retention"
	// HeaderRevision, on a queued job, is the revision of the record that it continues;
	// absent for a job that is queued for the first time. On a document of the jobs
	// service it is the revision of its record, 0 if there is none.
	HeaderRevision = "Heddle-Revision"
	// HeaderState, on a record, is the state of the job, for readers that do not want
	// the document.
	HeaderState = "Heddle-State"
)

const (
	// DefaultRunLimit is how long an attempt may take when the job does not say.
	DefaultRunLimit = 24 * time.Hour
	// DefaultAttempts is how many attempts a job has when it does not say.
	DefaultAttempts = 5
	// DefaultRetention is how long a result is kept when the job does not say.
	DefaultRetention = 6 * time.Hour

	// MaxJobTime bounds the limits and the retention.
	MaxJobTime = 7 * 24 * time.Hour
	// MaxAttempts bounds the attempts.
	MaxAttempts = 100
	// maxKey is the longest idempotency key in bytes.
	maxKey = 255
)

// JobOptions say how a job is to be done. The zero value means the defaults.
type JobOptions struct {
	// Key makes the submission repeatable, if it is not empty.
	Key string
	// Class is [ClassNormal] if empty.
	Class JobClass
	// Accept lists the media types wanted of the result, as in RFC 9110.
	Accept string
	// RunLimit is the longest time of one attempt; 0 means [DefaultRunLimit].
	RunLimit time.Duration
	// QueueLimit is the longest time before the first attempt; 0 means no limit.
	QueueLimit time.Duration
	// Attempts is the largest number of attempts; 0 means [DefaultAttempts].
	Attempts int
	// Retention is how long the result is kept; 0 means [DefaultRetention].
	Retention time.Duration
	// Then, for a batch, is the operation that gets its results, as <service>.<operation>,
	// in a job of its own. Its request is a [Gathered].
	Then string
	// Items is the number of requests of a batch, 0 for a job that is none. Whoever stores
	// the batch sets it.
	Items int
	// Gathered is the id of the batch whose results are the request, for the job that
	// follows it. Whoever ends the batch sets it.
	Gathered string
}

// ParseJobOptions reads the options from headers, of which get returns the value or "".
// It returns an [*Error] with [CodeInvalidArgument] that names the header at fault.
func ParseJobOptions(get func(header string) string) (o JobOptions, err error) {
	o.Accept = get(HeaderAccept)
	if o.Key, err = ParseKey(get(HeaderKey)); err != nil {
		return o, err
	}
	switch o.Class = JobClass(get(HeaderClass)); o.Class {
	case "", ClassHigh, ClassNormal:
	default:
		return o, Invalid(HeaderClass, "must be high or normal")
	}
	if o.RunLimit, err = parseJobTime(HeaderRunLimit, get(HeaderRunLimit)); err != nil {
		return o, err
	}
	if o.QueueLimit, err = parseJobTime(HeaderQueueLimit, get(HeaderQueueLimit)); err != nil {
		return o, err
	}
	if o.Retention, err = parseJobTime(HeaderRetention, get(HeaderRetention)); err != nil {
		return o, err
	}
	if value := get(HeaderAttempts); value != "" {
		o.Attempts, err = strconv.Atoi(value)
		if err != nil || o.Attempts < 1 || o.Attempts > MaxAttempts {
			return o, Invalid(HeaderAttempts, "must be a whole number from 1 to %d", MaxAttempts)
		}
	}
	return o, o.parseBatch(get)
}

// parseBatch reads what concerns batches.
func (o *JobOptions) parseBatch(get func(header string) string) (err error) {
	o.Then, o.Gathered = get(HeaderThen), get(HeaderGathered)
	if _, _, ok := parseOperation(o.Then); !ok && o.Then != "" {
		return Invalid(HeaderThen, "must be the name of an operation, such as sqrt.root")
	}
	if o.Gathered != "" {
		if _, err := ParseJobID(o.Gathered); err != nil {
			return Invalid(HeaderGathered, "must be the id of a job")
		}
	}
	if value := get(HeaderItems); value != "" {
		if o.Items, err = strconv.Atoi(value); err != nil || o.Items < 1 || o.Items > MaxBatchJobItems {
			return Invalid(HeaderItems, "must be the number of requests of a batch")
		}
	}
	return nil
}

// ParseKey checks the value of [HeaderKey], which may be empty. It returns an [*Error] with
// [CodeInvalidArgument].
func ParseKey(value string) (string, error) {
	if len(value) > maxKey {
		return "", Invalid(HeaderKey, "must have at most %d bytes", maxKey)
	}
	return value, nil
}

// parseJobTime reads a duration, 0 for none.
func parseJobTime(header, value string) (time.Duration, error) {
	if value == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < time.Second || d > MaxJobTime {
		return 0, Invalid(header, "must be a duration from 1s to %s, such as 90s or 2h", MaxJobTime)
	}
	return d, nil
}

// Headers calls set for each option that differs from its default, but for the key, which
// is part of the job's id.
func (o JobOptions) Headers(set func(header, value string)) {
	if o.Class != "" && o.Class != ClassNormal {
		set(HeaderClass, string(o.Class))
	}
	if o.Accept != "" {
		set(HeaderAccept, o.Accept)
	}
	setTime := func(header string, d time.Duration) {
		if d > 0 {
			set(header, d.String())
		}
	}
	setTime(HeaderRunLimit, o.RunLimit)
	setTime(HeaderQueueLimit, o.QueueLimit)
	setTime(HeaderRetention, o.Retention)
	if o.Attempts > 0 {
		set(HeaderAttempts, strconv.Itoa(o.Attempts))
	}
	if o.Then != "" {
		set(HeaderThen, o.Then)
	}
	if o.Items > 0 {
		set(HeaderItems, strconv.Itoa(o.Items))
	}
	if o.Gathered != "" {
		set(HeaderGathered, o.Gathered)
	}
}

// WithDefaults returns the options with the defaults in place of zeros.
func (o JobOptions) WithDefaults() JobOptions {
	if o.Class == "" {
		o.Class = ClassNormal
	}
	if o.RunLimit == 0 {
		o.RunLimit = DefaultRunLimit
	}
	if o.Attempts == 0 {
		o.Attempts = DefaultAttempts
	}
	if o.Retention == 0 {
		o.Retention = DefaultRetention
	}
	return o
}
