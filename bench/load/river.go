package load

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/seed-649d3d38/heddle/bench/work"
)

// RiverArgs are the arguments of a River job.
type RiverArgs struct{ work.Request }

// Kind names the jobs.
func (RiverArgs) Kind() string { return "work" }

// SubmitRiver inserts River jobs and waits until the results of all of them are stored.
// Elapsed is the time until then, the percentiles are those of the insertions. The run's
// target is the URL of the database, its body is not used: the jobs have no work.
func SubmitRiver(ctx context.Context, run Run) (Result, error) {
	config, err := pgxpool.ParseConfig(run.Target)
	if err != nil {
		return Result{}, err
	}
	config.MaxConns = int32(run.InFlight)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return Result{}, err
	}
	defer pool.Close()
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{})
	if err != nil {
		return Result{}, err
	}
	before, err := riverCompleted(ctx, pool)
	if err != nil {
		return Result{}, err
	}
	start := time.Now()
	result, err := together(run.InFlight, func(start time.Time) ([]time.Duration, error) {
		return repeat(start.Add(run.Duration), func() error {
			_, err := client.Insert(ctx, RiverArgs{}, nil)
			return err
		})
	})
	if err != nil {
		return Result{}, fmt.Errorf("insert: %w", err)
	}
	err = await(ctx, func(ctx context.Context) (ended bool, err error) {
		err = pool.QueryRow(ctx, "SELECT NOT EXISTS (SELECT FROM river_job WHERE state IN ('available', 'running'))").Scan(&ended)
		return ended, err
	})
	result.Elapsed = time.Since(start)
	if err != nil {
		return Result{}, err
	}
	after, err := riverCompleted(ctx, pool)
	if err == nil && after != before+result.Requests {
		err = fmt.Errorf("%d of %d jobs have ended well", after-before, result.Requests)
	}
	return result, err
}

// riverCompleted returns the number of jobs that have ended well.
func riverCompleted(ctx context.Context, pool *pgxpool.Pool) (n int, err error) {
	err = pool.QueryRow(ctx, "SELECT count(*) FROM river_job WHERE state = 'completed'").Scan(&n)
	return n, err
}
