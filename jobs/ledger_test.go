package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/jobs"
)

// ledgerJobs is how many jobs a ledger test submits; more are for a long run by hand:
//
//	go test ./jobs -run Ledger -ledger.jobs 100000 -timeout 2h -v
var ledgerJobs = flag.Int("ledger.jobs", 1000, "jobs that each ledger test submits")

// ledger is what was promised to the submitters of a run and what became of it.
type ledger struct {
	t    *testing.T
	nc   *nats.Conn
	s    *jobs.Store
	done chan struct{} // closed when everything was submitted
}

// openLedger makes the bucket of records one that keeps all revisions, so that commits
// can be counted.
func openLedger(t *testing.T, nc *nats.Conn, replicas int) *ledger {
	t.Helper()
	s, err := jobs.Open(nc, jobs.Config{Replicas: replicas})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := s.Prepare(t.Context(), echo.Service); err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	records, err := js.Stream(t.Context(), "KV_"+contract.JobBucket)
	if err != nil {
		t.Fatal(err)
	}
	cfg := records.CachedInfo().Config
	cfg.MaxMsgsPerSubject = 1000
	if _, err := js.UpdateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	return &ledger{t: t, nc: nc, s: s, done: make(chan struct{})}
}

// submit submits the jobs from many sides, each until it is accepted.
func (l *ledger) submit(ctx context.Context) {
	defer close(l.done)
	var all sync.WaitGroup
	next := make(chan int)
	for range 16 {
		all.Go(func() {
			for i := range next {
				l.insist(ctx, i)
			}
		})
	}
	for i := range *ledgerJobs {
		next <- i
	}
	close(next)
	all.Wait()
}

// insist submits one job until it is accepted. Its number is its key.
func (l *ledger) insist(ctx context.Context, i int) {
	number := strconv.Itoa(i)
	for ctx.Err() == nil {
		try, cancel := context.WithTimeout(ctx, time.Second)
		_, _, err := l.s.Submit(try, jobs.Submission{
			Endpoint: echo, Body: []byte(`{"text":"` + number + `"}`),
			Options: contract.JobOptions{Key: number, Attempts: contract.MaxAttempts},
		})
		cancel()
		if err == nil {
			return
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	l.t.Errorf("job %d was not accepted: %v", i, context.Cause(ctx))
}

// settle waits until no job is queued, and then reads all revisions of all records: each
// job must have ended, once, with its own text.
func (l *ledger) settle(ctx context.Context) {
	l.t.Helper()
	js, err := jetstream.New(l.nc)
	if err != nil {
		l.t.Fatal(err)
	}
	await := time.NewTicker(50 * time.Millisecond)
	defer await.Stop()
	for {
		work, err := js.Stream(ctx, contract.WorkStream(echo.Service))
		if err == nil && work.CachedInfo().State.Msgs == 0 {
			break
		}
		select {
		case <-await.C:
		case <-ctx.Done():
			l.t.Fatalf("jobs are left in the queue: %v, %v", work, err)
		}
	}
	ends := make(map[string]int)
	records, err := js.Stream(ctx, "KV_"+contract.JobBucket)
	if err != nil {
		l.t.Fatal(err)
	}
	last := records.CachedInfo().State.LastSeq
	all, err := records.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	if err != nil {
		l.t.Fatal(err)
	}
	messages, err := all.Messages()
	if err != nil {
		l.t.Fatal(err)
	}
	defer messages.Stop()
	for {
		m, err := messages.Next()
		if err != nil {
			l.t.Fatal(err)
		}
		l.enter(ends, m)
		if meta, err := m.Metadata(); err == nil && meta.Sequence.Stream >= last {
			break
		}
	}
	lost, twice := 0, 0
	for i := range *ledgerJobs {
		switch n := ends[strconv.Itoa(i)]; {
		case n == 0:
			lost++
		case n > 1:
			twice++
		}
	}
	if lost > 0 || twice > 0 {
		l.t.Errorf("of %d jobs, %d were lost and %d committed twice", *ledgerJobs, lost, twice)
	}
}

// enter counts the end of a job.
func (l *ledger) enter(ends map[string]int, m jetstream.Msg) {
	var job contract.Job
	if err := json.Unmarshal(m.Data(), &job); err != nil {
		l.t.Errorf("record %s: %v", m.Subject(), err)
		return
	}
	if !job.State.Terminal() {
		return
	}
	var result echoRequest
	if job.State != contract.JobSucceeded || json.Unmarshal(job.Result.Value, &result) != nil {
		l.t.Errorf("job ended as %+v", job)
		return
	}
	ends[result.Text]++
}

// TestLedger submits jobs while the broker and the instances are killed, and instances
// stopped for longer than their lease. Nothing is lost and nothing committed twice.
func TestLedger(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second+time.Duration(*ledgerJobs)*40*time.Millisecond)
	defer cancel()
	dir := t.TempDir()
	listen := freeAddress(t)
	serve := func() *process { return start(t, "broker", "LISTEN="+listen, "DIR="+filepath.Join(dir, "broker")) }
	b := serve()
	nc, err := nats.Connect("nats://"+listen, nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	log := func(i int) string { return filepath.Join(dir, "log"+strconv.Itoa(i)) }
	hire := func(i int) *process {
		return start(t, "instance", "URL=nats://"+listen, "LOG="+log(i), "WORK="+strconv.Itoa(5+60*i)+"ms", "POINT=")
	}
	l := openLedger(t, nc, 1)
	instances := []*process{hire(0), hire(1), hire(2)}
	go l.submit(ctx)
	kills, stops, restarts := 0, 0, 0
	for chaos := time.NewTicker(400 * time.Millisecond); ; {
		select {
		case <-l.done:
			chaos.Stop()
		case <-chaos.C:
			switch i := rand.N(len(instances)); rand.N(5) {
			case 0:
				restarts++
				b.kill()
				b = serve()
			case 1:
				stops++
				instances[i].signal(syscall.SIGSTOP)
				stopped := instances[i].cmd.Process // another one may take its place meanwhile
				time.AfterFunc(2*time.Second, func() { _ = stopped.Signal(syscall.SIGCONT) })
			default:
				kills++
				instances[i].kill()
				instances[i] = hire(i)
			}
			continue
		}
		break
	}
	l.settle(ctx)
	executed := 0
	for i := range instances {
		text, err := os.ReadFile(log(i))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		executed += strings.Count(string(text), "\n")
	}
	t.Logf("%d jobs, %d executions; killed: %d instances, %d brokers; stopped: %d instances", *ledgerJobs, executed, kills, restarts, stops)
}

// freeAddress returns an address of loopback that is free now.
func freeAddress(t *testing.T) string {
	t.Helper()
	b := brokertest.ListenPlain(t)
	b.Stop()
	return strings.TrimPrefix(b.URL, "nats://")
}

// TestLedgerOfCluster does the same with three nodes, one of which is stopped at a time,
// and instances that are cut off from them.
func TestLedgerOfCluster(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second+time.Duration(*ledgerJobs)*40*time.Millisecond)
	defer cancel()
	c := brokertest.StartCluster(t)
	l := openLedger(t, c.Connect(0), 3)
	for i := range 3 {
		s, err := jobs.Open(c.Connect(i), jobs.Config{Replicas: 3})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		hire(t, s, 8, func(ctx context.Context, a *jobs.Attempt) ([]byte, error) {
			select {
			case <-time.After(time.Duration(5+rand.N(100)) * time.Millisecond):
				return a.Message().Data, nil
			case <-ctx.Done():
				return nil, fmt.Errorf("interrupted: %w", ctx.Err())
			}
		})
	}
	go l.submit(ctx)
	stops := 0
	for submitted := false; !submitted; stops++ {
		i := rand.N(3)
		c.Stop(i)
		select {
		case <-time.After(time.Second):
		case <-l.done:
			submitted = true
		}
		c.Start(i)
	}
	l.settle(ctx)
	t.Logf("%d jobs; stopped %d nodes", *ledgerJobs, stops)
}
