package contract

import "time"

// JobQueue tells of the jobs of one service that have not ended, as an operator sees them.
type JobQueue struct {
	Service string `json:"service"`
	// Queued is the number of jobs that wait for their first attempt.
	Queued int64 `json:"queued"`
	// Taken is the number of jobs that were given to instances: those that run, and those
	// that wait for another attempt.
	Taken int64 `json:"taken"`
	// Limit is the largest number of jobs, queued and taken; more are refused.
	Limit int64 `json:"limit"`
	// Oldest is when the oldest of the queued jobs was queued; zero if there is none.
	Oldest time.Time `json:"oldest,omitzero"`
	// PausedUntil is when instances get jobs again, if nobody resumes the service before;
	// zero if it is not paused.
	PausedUntil time.Time `json:"paused_until,omitzero"`
	// Shares are the parts of the queue, those with the class that goes first first.
	Shares []JobShare `json:"shares"`
	// Healed counts what was put right in the queue since there is one; kinds of which there
	// was nothing are missing.
	Healed map[HealKind]int64 `json:"healed,omitempty"`
}

// JobShare is the part of a queue that belongs to one tenant and class.
type JobShare struct {
	Tenant string   `json:"tenant"`
	Class  JobClass `json:"class"`
	// Queued, Taken and Oldest are those of the queue, for this part of it.
	Queued int64     `json:"queued"`
	Taken  int64     `json:"taken"`
	Oldest time.Time `json:"oldest,omitzero"`
}

// JobQueues are the queues of all services that there may be jobs of.
type JobQueues struct {
	Queues []JobQueue `json:"queues"`
}

// JobQueueRequest names the service whose queue is meant, in requests to the jobs service
// over NATS.
type JobQueueRequest struct {
	Service string `json:"service"`
}

// Validate checks the form of the name.
func (r JobQueueRequest) Validate() error {
	if !name.MatchString(r.Service) {
		return Invalid("service", "must be the name of a service, such as fibonacci")
	}
	return nil
}
