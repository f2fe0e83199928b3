package client

import (
	"context"

	"github.com/seed-649d3d38/heddle/contract"
)

// JobQueues returns the queues of the jobs of all services.
func (c *NATS) JobQueues(ctx context.Context) (contract.JobQueues, error) {
	return decodeJob[contract.JobQueues](c.do(ctx, "queues", struct{}{}))
}

// PauseJobs has no more jobs of a service given to instances until [NATS.ResumeJobs], and
// returns the queue. Jobs are taken in, and those that run go on.
func (c *NATS) PauseJobs(ctx context.Context, service string) (contract.JobQueue, error) {
	return decodeJob[contract.JobQueue](c.do(ctx, "pause", contract.JobQueueRequest{Service: service}))
}

// ResumeJobs has the jobs of a service given to instances again, and returns the queue.
func (c *NATS) ResumeJobs(ctx context.Context, service string) (contract.JobQueue, error) {
	return decodeJob[contract.JobQueue](c.do(ctx, "resume", contract.JobQueueRequest{Service: service}))
}
