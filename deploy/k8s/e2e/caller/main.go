// Command caller is what the end-to-end test has inside the cluster: it calls the suite over
// HTTP and NATS from a namespace of its own, all the time or once, submits jobs and counts
// what becomes of everything. The test asks it over HTTP, through the API server. It has no
// retries but for submitting jobs, so that it hears of every failure.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
)

// patience is the longest that a single request may take.
const patience = 10 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	nc, err := nats.Connect(os.Getenv("NATS_URL"), nats.MaxReconnects(-1), nats.RetryOnFailedConnect(true), nats.ReconnectWait(250*time.Millisecond))
	if err != nil {
		return err
	}
	defer nc.Close()
	c := &caller{gateway: os.Getenv("GATEWAY_URL"), nc: nc, jobs: jobs{ended: map[string]int{}}}
	events := contract.JobRef{Tenant: contract.DefaultTenant, Service: "*", Operation: "*", Token: "*"}.EventSubject()
	if _, err := nc.Subscribe(events, c.jobs.hear); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /call/{via}", c.call)
	mux.HandleFunc("GET /load/start", c.start)
	mux.HandleFunc("GET /load/stop", c.stop)
	mux.HandleFunc("GET /jobs/submit", c.submit)
	mux.HandleFunc("GET /jobs/count", c.count)
	mux.HandleFunc("GET /jobs/forget", c.forget)
	server := &http.Server{Addr: ":8080", Handler: mux, ReadHeaderTimeout: time.Second}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.ListenAndServe(); ctx.Err() == nil {
		return err
	}
	return nil
}

// caller is safe for concurrent use.
type caller struct {
	gateway string
	nc      *nats.Conn
	jobs    jobs

	mu   sync.Mutex
	load *load // nil when there is none
}

// overHTTP asks the gateway for a term, with POST, which no HTTP client sends twice.
func (c *caller) overHTTP(ctx context.Context, n int) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.gateway+contract.FibonacciTerm.Route(), strings.NewReader(request(n)))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, body)
	}
	return body, err
}

// overNATS asks a service for a term, past the gateway.
func (c *caller) overNATS(ctx context.Context, n int) ([]byte, error) {
	return c.ask(ctx, &nats.Msg{Subject: contract.Subject("fibonacci", "term"), Data: []byte(request(n))})
}

// ask sends a message and returns the reply, unless that is a problem.
func (c *caller) ask(ctx context.Context, m *nats.Msg) ([]byte, error) {
	reply, err := c.nc.RequestMsgWithContext(ctx, m)
	if err != nil {
		return nil, err
	}
	if code := reply.Header.Get(contract.HeaderErrorCode); code != "" {
		return nil, fmt.Errorf("%s: %s", code, reply.Data)
	}
	return reply.Data, nil
}

func request(n int) string { return `{"n":` + strconv.Itoa(n) + `}` }

// call does a single call and passes the answer on.
func (c *caller) call(w http.ResponseWriter, r *http.Request) {
	do := c.overHTTP
	if r.PathValue("via") == "nats" {
		do = c.overNATS
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	answer, err := do(ctx, 100)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	_, _ = w.Write(answer)
}

// load is a constant rate of requests over HTTP and NATS, whether or not they are answered.
type load struct {
	cancel context.CancelFunc
	sent   sync.WaitGroup

	mu     sync.Mutex
	totals map[string]*Total
}

// Total is what became of the requests that went one way.
type Total struct {
	Sent, Failed int
	// Slowest is the time of the longest request that was answered.
	Slowest time.Duration
	// Errors are the first few failures.
	Errors []string
}

// pause is the time between two requests of the same way.
const pause = 20 * time.Millisecond

func (c *caller) start(_ http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	l := &load{cancel: cancel, totals: map[string]*Total{"http": {}, "nats": {}}}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.load == nil {
		c.load = l
		l.sent.Go(func() { l.send(ctx, "http", c.overHTTP) })
		l.sent.Go(func() { l.send(ctx, "nats", c.overNATS) })
	}
}

// send sends requests until ctx ends. Most are light; every tenth takes a slot.
func (l *load) send(ctx context.Context, way string, do func(context.Context, int) ([]byte, error)) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		n := 1000 + i%1000
		if i%10 == 0 {
			n *= 100
		}
		l.sent.Go(func() {
			one, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
			defer cancel()
			started := time.Now()
			_, err := do(one, n)
			l.note(way, time.Since(started), err)
		})
	}
}

func (l *load) note(way string, took time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.totals[way]
	t.Sent++
	if err == nil {
		t.Slowest = max(t.Slowest, took)
		return
	}
	t.Failed++
	if len(t.Errors) < 5 {
		t.Errors = append(t.Errors, time.Now().Format(time.TimeOnly)+" "+err.Error())
	}
}

// stop ends the load and says what became of it.
func (c *caller) stop(w http.ResponseWriter, _ *http.Request) {
	c.mu.Lock()
	l := c.load
	c.load = nil
	c.mu.Unlock()
	if l == nil {
		http.Error(w, "there is no load", http.StatusConflict)
		return
	}
	l.cancel()
	l.sent.Wait()
	answer(w, l.totals)
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// jobs are those that were submitted, and how often each was heard to have ended.
type jobs struct {
	mu    sync.Mutex
	ids   []string
	ended map[string]int
}

// hear notes an event of a job.
func (j *jobs) hear(m *nats.Msg) {
	var job contract.Job
	if json.Unmarshal(m.Data, &job) == nil && job.State.Terminal() {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.ended[job.ID]++
	}
}

// submit submits jobs, each until it is stored; the key makes sure that it is one.
func (c *caller) submit(w http.ResponseWriter, r *http.Request) {
	count, _ := strconv.Atoi(r.FormValue("count"))
	n, _ := strconv.Atoi(r.FormValue("n"))
	ids := []string{}
	for i := range count {
		m := nats.NewMsg(contract.SubmitSubject("fibonacci", "term"))
		m.Header.Set(contract.HeaderKey, fmt.Sprintf("%s-%d", r.FormValue("key"), i))
		m.Data = []byte(request(n + i))
		job, err := c.store(r.Context(), m)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		ids = append(ids, job.ID)
	}
	c.jobs.mu.Lock()
	c.jobs.ids = append(c.jobs.ids, ids...)
	c.jobs.mu.Unlock()
	answer(w, ids)
}

// store sends the submission until it is answered, or ctx ends.
func (c *caller) store(ctx context.Context, m *nats.Msg) (job contract.Job, err error) {
	for {
		one, cancel := context.WithTimeout(ctx, 2*time.Second)
		var data []byte
		data, err = c.ask(one, m)
		cancel()
		if err == nil {
			return job, json.Unmarshal(data, &job)
		}
		select {
		case <-ctx.Done():
			return job, err
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// Count is what became of all jobs that were submitted.
type Count struct {
	Submitted int
	// States counts the jobs by their state; "unknown" are those that the suite does not
	// find.
	States map[string]int
	// Again counts attempts after the first of a job, and Twice the jobs that were heard to
	// have ended more than once.
	Again, Twice int
	// Instances is the number of instances that did them.
	Instances int
}

func (c *caller) count(w http.ResponseWriter, r *http.Request) {
	c.jobs.mu.Lock()
	all := append([]string(nil), c.jobs.ids...)
	total := Count{Submitted: len(all), States: map[string]int{}}
	for _, n := range c.jobs.ended {
		if n > 1 {
			total.Twice++
		}
	}
	c.jobs.mu.Unlock()
	instances := map[string]bool{}
	for _, id := range all {
		job, err := c.job(r.Context(), id)
		if err != nil {
			total.States["unknown"]++
			continue
		}
		total.States[string(job.State)]++
		total.Again += max(0, job.Attempt-1)
		if job.Instance != "" {
			instances[job.Instance] = true
		}
	}
	total.Instances = len(instances)
	answer(w, total)
}

// forget begins anew, for another installation.
func (c *caller) forget(w http.ResponseWriter, _ *http.Request) {
	c.jobs.mu.Lock()
	defer c.jobs.mu.Unlock()
	c.jobs.ids = nil
	clear(c.jobs.ended)
	answer(w, true)
}

func (c *caller) job(ctx context.Context, id string) (job contract.Job, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	data, err := c.ask(ctx, &nats.Msg{Subject: contract.JobsSubject("get"), Data: []byte(`{"id":"` + id + `"}`)})
	if err == nil {
		err = json.Unmarshal(data, &job)
	}
	return job, err
}
