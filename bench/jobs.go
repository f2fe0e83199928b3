package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/seed-649d3d38/heddle/bench/figure"
	"github.com/seed-649d3d38/heddle/bench/load"
	"github.com/seed-649d3d38/heddle/bench/process"
)

// How what is compared keeps jobs.
const (
	keptByFile     = "file, fsync every 2 min"
	keptBySync     = "file, fsync before each confirmation"
	keptByMemory   = "memory only"
	keptByPostgres = "PostgreSQL, fsync at each commit"
	keptByAOF      = "AOF, fsync every second"
)

// jobFigures are the figures of jobs. They are one table, in which each names how the jobs
// were kept.
type jobFigures struct{ table *figure.Table }

func newJobFigures() jobFigures {
	return jobFigures{figure.NewTable(append([]string{"figure", "kept"}, figure.GoalColumns()...)...)}
}

func (f jobFigures) add(name, kept string, s figure.Series, goal figure.Goal, decimals int) {
	f.table.Add(append([]string{name, kept}, goal.Cells(s, decimals)...)...)
}

// jobs measures durable jobs.
func (b *bench) jobs(ctx context.Context) error {
	f := newJobFigures()
	for _, part := range []func(context.Context, jobFigures) error{
		b.jobsThroughput, b.jobsLatency, b.jobsResume, b.jobsCancel, b.jobsMemory,
	} {
		if err := part(ctx, f); err != nil {
			return err
		}
	}
	return errors.Join(b.printf("jobs: %d rounds, each of %v for the comparison\n\n", b.extent.jobs, b.extent.jobsTime), f.table.Print(b.out))
}

// queue is a way of having jobs done.
type queue struct {
	name, kept string
	load       *process.Process
	run        load.Run
	goal       figure.Goal // of ours against it
	perSecond  figure.Series
}

// asynqGoal and celeryGoal are for the throughput of jobs against theirs.
var (
	asynqGoal  = figure.Goal{Order: figure.AtLeast, Must: 2.5, Aim: 4}
	celeryGoal = figure.Goal{Order: figure.AtLeast, Must: 25}
)

// jobsThroughput compares how many jobs without work are submitted and done, to the last
// result that is stored.
func (b *bench) jobsThroughput(ctx context.Context, f jobFigures) (err error) {
	var s stage
	defer func() { err = errors.Join(err, s.stop()) }()
	queues, err := b.queues(ctx, &s)
	if err != nil {
		return err
	}
	for round := -1; round < b.extent.jobs; round++ {
		for i := range queues {
			q := queues[(max(round, 0)+i)%len(queues)]
			q.run.InFlight, q.run.Duration = inFlight, b.extent.jobsTime
			r, err := order(ctx, q.load, q.run)
			if err != nil {
				return fmt.Errorf("%s: %w", q.name, err)
			}
			if round >= 0 { // the first one only warms up
				q.perSecond = append(q.perSecond, r.PerSecond())
			}
		}
	}
	ours := queues[0]
	for _, q := range queues {
		f.add("jobs/s, "+q.name, q.kept, q.perSecond, figure.Goal{}, 0)
	}
	for _, q := range queues[1:] {
		if q.goal != (figure.Goal{}) {
			f.add("jobs/s, heddle / "+q.name, ours.kept+" / "+q.kept, ours.perSecond.Over(q.perSecond), q.goal, 2)
		}
	}
	return s.stop()
}

// queues starts Heddle, first with the broker as it is and then with one that confirms only
// what is on the disk, and those of its peers that are installed.
func (b *bench) queues(ctx context.Context, s *stage) ([]*queue, error) {
	url, err := b.jetStream(ctx, s)
	if err != nil {
		return nil, err
	}
	ours, err := b.ourQueue(ctx, s, "heddle", keptByFile, url)
	if err != nil {
		return nil, err
	}
	_, url, err = s.start(ctx, b.program("syncbroker", filepath.Join(b.dir, "sync")), saysReady)
	if err != nil {
		return nil, err
	}
	synced, err := b.ourQueue(ctx, s, "heddle, sync_interval: always", keptBySync, url)
	if err != nil {
		return nil, err
	}
	queues := []*queue{ours, synced}
	if programs, ok := postgresPrograms(); ok {
		q, err := b.riverQueue(ctx, s, programs)
		if err != nil {
			return nil, err
		}
		queues = append(queues, q)
	} else if err := b.printf("River is left out: there is no PostgreSQL (apt-get install postgresql)\n\n"); err != nil {
		return nil, err
	}
	if _, err := os.Stat(redisServer); err != nil {
		return queues, b.printf("asynq and Celery are left out: there is no redis-server (apt-get install redis-server)\n\n")
	}
	for _, kept := range []string{keptByMemory, keptByAOF} {
		q, err := b.asynqQueue(ctx, s, kept)
		if err != nil {
			return nil, err
		}
		queues = append(queues, q)
	}
	if !hasCelery(ctx) {
		return queues, b.printf("Celery is left out, since Debian's packages python3-celery and python3-redis are not there\n\n")
	}
	caller, err := b.startCelery(ctx, s, "jobs.py")
	return append(queues, &queue{name: "Celery", kept: keptByMemory, load: caller, goal: celeryGoal}), err
}

// riverQueue starts PostgreSQL, River and what inserts jobs.
func (b *bench) riverQueue(ctx context.Context, s *stage, programs string) (*queue, error) {
	url, err := b.startPostgres(ctx, s, programs)
	if err != nil {
		return nil, err
	}
	if _, _, err := s.start(ctx, b.program("riverjobs", url), saysReady); err != nil {
		return nil, err
	}
	submitter, _, err := s.start(ctx, with(b.role("river-submit"), loadGOGC), saysReady)
	return &queue{name: "River", kept: keptByPostgres, load: submitter, run: load.Run{Target: url}}, err
}

// ourQueue starts an instance at the broker and what submits jobs to it.
func (b *bench) ourQueue(ctx context.Context, s *stage, name, kept, url string) (*queue, error) {
	if err := b.kitWork(ctx, s, 1, url, "--slots", "64"); err != nil {
		return nil, err
	}
	submitter, _, err := s.start(ctx, with(b.role("jobs-submit", url), loadGOGC), saysReady)
	return &queue{name: name, kept: kept, load: submitter, run: load.Run{Body: "{}"}}, err
}

// asynqQueue starts Redis, asynq and what enqueues tasks.
func (b *bench) asynqQueue(ctx context.Context, s *stage, kept string) (*queue, error) {
	options := []string{"--appendonly", "no", "--dir", b.dir}
	if kept == keptByAOF {
		dir := filepath.Join(b.dir, "aof")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("make folder of Redis: %w", err)
		}
		options = []string{"--appendonly", "yes", "--appendfsync", "everysec", "--dir", dir}
	}
	address, err := b.startRedisWith(ctx, s, options...)
	if err != nil {
		return nil, err
	}
	if _, _, err := s.start(ctx, b.program("asynqjobs", address), saysReady); err != nil {
		return nil, err
	}
	submitter, _, err := s.start(ctx, with(b.role("asynq-submit"), loadGOGC), saysReady)
	return &queue{name: "asynq", kept: kept, load: submitter, run: load.Run{Target: address, Body: "{}"}, goal: asynqGoal}, err
}
