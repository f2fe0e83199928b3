// Command asynqjobs does the work of tasks as an asynq server with as many workers as
// there are submitters, and stores their results.
//
//	asynqjobs ADDRESS
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

	"github.com/seed-649d3d38/heddle/bench/work"
)

const (
	workers = 64

	// checkInterval is how long a server sleeps that found its queue empty. The default
	// is a second, which would be most of what one measures; a millisecond would cost
	// the others in the comparison when it has nothing to do.
	checkInterval = 10 * time.Millisecond
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "use: asynqjobs ADDRESS")
		os.Exit(2)
	}
	if err := run(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "asynqjobs:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, address string) error {
	server := asynq.NewServer(asynq.RedisClientOpt{Addr: address, PoolSize: workers}, asynq.Config{
		Concurrency: workers, TaskCheckInterval: checkInterval, LogLevel: asynq.ErrorLevel,
	})
	if err := server.Start(asynq.HandlerFunc(do)); err != nil {
		return err
	}
	fmt.Println("ready")
	<-ctx.Done()
	server.Shutdown()
	return nil
}

func do(ctx context.Context, t *asynq.Task) error {
	var request work.Request
	if err := json.Unmarshal(t.Payload(), &request); err != nil {
		return err
	}
	result, err := work.Do(ctx, request)
	if err != nil {
		return err
	}
	body, err := json.Marshal(result)
	if err != nil {
		return err
	}
	_, err = t.ResultWriter().Write(body)
	return err
}
