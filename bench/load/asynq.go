package load

import (
	"context"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// AsynqEnds is the list to which the workers of asynq write the end of each task.
const AsynqEnds = "ends"

// workTime is how long all the work of a burst may take.
const workTime = time.Minute

// Enqueue makes tasks of a burst's requests and waits until all of them have ended. The
// burst's target is not used.
func Enqueue(ctx context.Context, address string, b Burst) (Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, workTime)
	defer cancel()
	client := asynq.NewClient(asynq.RedisClientOpt{Addr: address})
	defer client.Close()
	ends := redis.NewClient(&redis.Options{Addr: address})
	defer ends.Close()
	start := time.Now()
	for _, body := range b.Bodies {
		if _, err := client.EnqueueContext(ctx, asynq.NewTask("work", []byte(body))); err != nil {
			return Outcome{}, fmt.Errorf("enqueue: %w", err)
		}
	}
	for range b.Bodies {
		if err := ends.BRPop(ctx, 0, AsynqEnds).Err(); err != nil {
			return Outcome{}, fmt.Errorf("wait for the end of a task: %w", err)
		}
	}
	return Outcome{Elapsed: time.Since(start), Good: len(b.Bodies)}, nil
}
