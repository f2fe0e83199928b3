// Command riverjobs does the work of River jobs with as many workers as there are
// submitters, and stores their results. It makes River's tables first.
//
//	riverjobs URL
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/seed-649d3d38/heddle/bench/load"
	"github.com/seed-649d3d38/heddle/bench/work"
)

const (
	workers = 64

	// cooldown is the shortest time between two fetches. The default is 100 ms, which
	// with so many workers would bound the throughput.
	cooldown = time.Millisecond

	// patience is how long the jobs under way may take at the end.
	patience = 5 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "use: riverjobs URL")
		os.Exit(2)
	}
	if err := run(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "riverjobs:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url string) error {
	lasting := context.WithoutCancel(ctx)
	pool, err := pgxpool.New(lasting, url)
	if err != nil {
		return err
	}
	defer pool.Close()
	driver := riverpgxv5.New(pool)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: log})
	if err != nil {
		return err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return err
	}
	hands := river.NewWorkers()
	river.AddWorker(hands, river.WorkFunc(do))
	client, err := river.NewClient(driver, &river.Config{
		Queues:        map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workers}},
		Workers:       hands,
		FetchCooldown: cooldown,
		Logger:        log,
	})
	if err != nil {
		return err
	}
	if err := client.Start(lasting); err != nil {
		return err
	}
	fmt.Println("ready")
	<-ctx.Done()
	lasting, cancel := context.WithTimeout(lasting, patience)
	defer cancel()
	return client.Stop(lasting)
}

func do(ctx context.Context, job *river.Job[load.RiverArgs]) error {
	result, err := work.Do(ctx, job.Args.Request)
	if err != nil {
		return err
	}
	return river.RecordOutput(ctx, result)
}
