// Command asynqwork does work as an asynq server with one worker. It writes the end of
// each task to a list, since asynq's own results have to be polled for.
//
//	asynqwork ADDRESS
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/seed-649d3d38/heddle/bench/load"
	"github.com/seed-649d3d38/heddle/bench/work"
)

// checkInterval is how often an idle worker looks for tasks. The default is a second,
// which would be all that one measures.
const checkInterval = time.Millisecond

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "use: asynqwork ADDRESS")
		os.Exit(2)
	}
	if err := run(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "asynqwork:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, address string) error {
	ends := redis.NewClient(&redis.Options{Addr: address})
	defer ends.Close()
	server := asynq.NewServer(asynq.RedisClientOpt{Addr: address}, asynq.Config{
		Concurrency: 1, TaskCheckInterval: checkInterval, LogLevel: asynq.ErrorLevel,
	})
	err := server.Start(asynq.HandlerFunc(func(ctx context.Context, t *asynq.Task) error {
		var request work.Request
		if err := json.Unmarshal(t.Payload(), &request); err != nil {
			return err
		}
		if _, err := work.Do(ctx, request); err != nil {
			return err
		}
		return ends.LPush(ctx, load.AsynqEnds, "end").Err()
	}))
	if err != nil {
		return err
	}
	fmt.Println("ready")
	<-ctx.Done()
	server.Shutdown()
	return nil
}
