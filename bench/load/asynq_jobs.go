package load

import (
	"context"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// asynqCompleted is where asynq keeps the tasks of its default queue that have ended well.
// Its own function that counts them costs Redis much more than what is measured.
const asynqCompleted = "asynq:{default}:completed"

// asynqKept is how long results of tasks are kept, as long as those of jobs.
const asynqKept = 24 * time.Hour

// SubmitTasks enqueues asynq tasks and waits until the results of all of them are stored.
// Elapsed is the time until then, the percentiles are those of the submissions. The run's
// target is the address of Redis.
func SubmitTasks(ctx context.Context, run Run) (Result, error) {
	client := asynq.NewClient(asynq.RedisClientOpt{Addr: run.Target, PoolSize: run.InFlight})
	defer client.Close()
	store := redis.NewClient(&redis.Options{Addr: run.Target})
	defer store.Close()
	before, err := store.ZCard(ctx, asynqCompleted).Result()
	if err != nil {
		return Result{}, fmt.Errorf("count tasks: %w", err)
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
	err = await(ctx, func(ctx context.Context) (bool, error) {
		ended, err := store.ZCard(ctx, asynqCompleted).Result()
		return ended == before+int64(result.Requests), err
	})
	result.Elapsed = time.Since(start)
	return result, err
}
