package load

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hibiken/asynq"
)

// asynqQueue is the queue of all tasks.
const asynqQueue = "default"

// asynqKept is how long results of tasks are kept, as long as those of jobs.
const asynqKept = 24 * time.Hour

// SubmitTasks enqueues asynq tasks and waits until the results of all of them are stored.
// Elapsed is the time until then, the percentiles are those of the submissions. The run's
// target is the address of Redis.
func SubmitTasks(ctx context.Context, run Run) (Result, error) {
	client := asynq.NewClient(asynq.RedisClientOpt{Addr: run.Target, PoolSize: run.InFlight})
	defer client.Close()
	inspector := asynq.NewInspector(asynq.RedisClientOpt{Addr: run.Target})
	defer inspector.Close()
	before, err := completed(inspector)
	if err != nil {
		return Result{}, err
	}
	start := time.Now()
	result, err := together(run.InFlight, func(start time.Time) ([]time.Duration, error) {
		return repeat(start.Add(run.Duration), func() error {
			_, err := client.EnqueueContext(ctx, asynq.NewTask("work", []byte(run.Body), asynq.Retention(asynqKept)))
			return err
		})
	})
	if err != nil {
		return Result{}, fmt.Errorf("enqueue: %w", err)
	}
	err = await(ctx, func(context.Context) (bool, error) {
		ended, err := completed(inspector)
		return ended == before+result.Requests, err
	})
	result.Elapsed = time.Since(start)
	return result, err
}

// completed returns the number of tasks that have ended well.
func completed(inspector *asynq.Inspector) (int, error) {
	queues, err := inspector.Queues()
	if err == nil && !slices.Contains(queues, asynqQueue) {
		return 0, nil // there was no task yet
	}
	if err != nil {
		return 0, fmt.Errorf("look for the queue: %w", err)
	}
	queue, err := inspector.GetQueueInfo(asynqQueue)
	if err != nil {
		return 0, fmt.Errorf("look at the queue: %w", err)
	}
	return queue.Completed, nil
}
