package host_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/internal/discovery"
	"github.com/seed-649d3d38/heddle/solver"
)

// sing is the echo's operation that may run twice; say must not.
var sing = contract.Define(contract.Spec{Service: "echo", Operation: "sing", Summary: "Sings what it hears", Pure: true},
	contract.Example[EchoRequest, EchoResult]{Request: EchoRequest{Text: "42"}, Result: EchoResult{Text: "42"}})

// operations are the two of them, for tests that hold for both.
var operations = map[string]contract.Descriptor{"pure": sing.Descriptor(), "not pure": echo.Descriptor()}

// site is one instance of a service whose work lasts until the test says so.
type site struct {
	*host.Host
	t     *testing.T
	nc    *nats.Conn
	began chan string   // the text of each request whose work begins
	end   chan struct{} // each receive ends one work; closed, all of them
	free  func()        // closes end, once
}

// openSite hosts an instance on the connection. At the end of the test it is drained,
// unless the test has done that.
func openSite(t *testing.T, nc *nats.Conn, cfg host.Config) *site {
	t.Helper()
	s := &site{t: t, nc: nc, began: make(chan string, 4096), end: make(chan struct{})}
	s.free = sync.OnceFunc(func() { close(s.end) })
	solve := func(ctx context.Context, r EchoRequest) (EchoResult, error) {
		s.began <- string(r.Text)
		select {
		case <-s.end:
			return EchoResult{Text: r.Text}, nil
		case <-ctx.Done():
			return EchoResult{}, ctx.Err()
		}
	}
	heavy := func(EchoRequest) solver.Cost { return solver.Cost{} }
	h, err := host.Start(t.Context(), nc, cfg, solver.Service{
		Name: "echo", Version: "1.0.0",
		Operations: []solver.Operation{solver.BindEstimated(echo, solve, heavy), solver.BindEstimated(sing, solve, heavy)},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Host = h
	t.Cleanup(func() {
		s.free()
		if s.Host != nil {
			s.drain(context.Background())
		}
	})
	return s
}

// drain drains the instance, once.
func (s *site) drain(ctx context.Context) {
	s.t.Helper()
	if err := s.startDrain(ctx)(); err != nil {
		s.t.Errorf("drain: %v", err)
	}
}

// startDrain begins to drain the instance, and returns when it has left service
// discovery. The function that it returns waits for the end.
func (s *site) startDrain(ctx context.Context) (wait func() error) {
	s.t.Helper()
	h := s.Host
	s.Host = nil
	ctx, cancel := context.WithTimeout(ctx, patience)
	drained := make(chan error, 1)
	go func() { drained <- h.Drain(ctx) }()
	brokertest.Await(s.t, "the instance drains", func() bool { return h.Ready() != nil })
	return func() error {
		defer cancel()
		return <-drained
	}
}

// begins waits until the instance begins to work and returns the request's text.
func (s *site) begins() string {
	s.t.Helper()
	select {
	case text := <-s.began:
		return text
	case <-time.After(patience):
		s.t.Fatal("waited in vain for the work to begin")
		return ""
	}
}

// loadOf asks the instances of the service what they carry; any of them answers.
func loadOf(t *testing.T, nc *nats.Conn) (l host.Load) {
	t.Helper()
	subject, err := micro.ControlSubject(micro.StatsVerb, "echo", "")
	if err != nil {
		t.Fatal(err)
	}
	m, err := nc.Request(subject, nil, patience)
	var stats micro.Stats
	if err == nil {
		err = json.Unmarshal(m.Data, &stats)
	}
	if err == nil {
		err = json.Unmarshal(stats.Endpoints[0].Data, &l)
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// awaitInstances waits until the broker of the connection knows so many instances, all of
// which have the lane. In a cluster that takes a moment longer than at the instance.
func awaitInstances(t *testing.T, nc *nats.Conn, n int) {
	t.Helper()
	brokertest.Await(t, fmt.Sprintf("%d instances have the lane", n), func() bool {
		instances, err := discovery.Discover(t.Context(), nc)
		if err != nil || len(instances) != n {
			return false
		}
		for _, i := range instances {
			if l, _ := i.Load(); !l.Lane {
				return false
			}
		}
		return true
	})
}

// awaitDepth waits until so many requests wait in the lane.
func awaitDepth(t *testing.T, nc *nats.Conn, depth uint64) {
	t.Helper()
	brokertest.Await(t, fmt.Sprintf("%d requests wait in the lane", depth), func() bool {
		return loadOf(t, nc).LaneDepth == depth
	})
}

// crowd sends requests and counts what comes back for each of them. It is for the
// goroutine of the test.
type crowd struct {
	t       *testing.T
	nc      *nats.Conn
	inbox   string
	replies chan *nats.Msg
	sent    int
	got     map[string][]string // by text: the result, or the code of the error
	delays  map[string]string   // by text: Retry-After in the problem
}

func newCrowd(t *testing.T, nc *nats.Conn) *crowd {
	t.Helper()
	c := &crowd{t: t, nc: nc, inbox: nc.NewInbox() + ".", replies: make(chan *nats.Msg, 4096), got: map[string][]string{}, delays: map[string]string{}}
	if _, err := nc.ChanSubscribe(c.inbox+"*", c.replies); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	return c
}

// send sends n requests with further headers and returns when the broker has them.
func (c *crowd) send(e contract.Descriptor, n int, headers ...string) {
	c.t.Helper()
	for range n {
		c.sent++
		text := strconv.Itoa(c.sent)
		m := nats.NewMsg(e.Subject())
		m.Reply, m.Data = c.inbox+text, []byte(`{"text":"`+text+`"}`)
		for i := 0; i < len(headers); i += 2 {
			m.Header.Set(headers[i], headers[i+1])
		}
		if err := c.nc.PublishMsg(m); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := c.nc.FlushTimeout(patience); err != nil {
		c.t.Fatal(err)
	}
}

// hear takes one reply.
func (c *crowd) hear(m *nats.Msg) {
	text := strings.TrimPrefix(m.Subject, c.inbox)
	answer := string(m.Data)
	if m.Header.Get(contract.HeaderErrorCode) != "" {
		problem := new(contract.Error)
		if err := problem.UnmarshalJSON(m.Data); err != nil {
			c.t.Errorf("error reply %s: %v", m.Data, err)
		}
		answer = string(problem.Code)
		c.delays[text] = problem.RetryAfter.String()
	} else if want := `{"text":"` + text + `"}`; answer == want {
		answer = "result"
	}
	c.got[text] = append(c.got[text], answer)
}

// await waits until so many requests are answered in all.
func (c *crowd) await(n int) {
	c.t.Helper()
	late := time.After(patience)
	for len(c.got) < n {
		select {
		case m := <-c.replies:
			c.hear(m)
		case <-late:
			c.t.Fatalf("%d of %d requests are answered: %v", len(c.got), n, c.got)
		}
	}
}

// count returns how many requests got an answer.
func (c *crowd) count(answer string) (n int) {
	for _, answers := range c.got {
		if answers[0] == answer {
			n++
		}
	}
	return n
}

// settle hears what has come since all were answered; the instances must have stopped. It
// fails the test if a request was answered twice.
func (c *crowd) settle() {
	c.t.Helper()
	c.await(c.sent)
	if err := c.nc.FlushTimeout(patience); err != nil {
		c.t.Fatal(err)
	}
	for len(c.replies) > 0 {
		c.hear(<-c.replies)
	}
	for text, answers := range c.got {
		if len(answers) != 1 {
			c.t.Errorf("request %s is answered %d times: %v", text, len(answers), answers)
		}
	}
}

// ran returns how often each request began to run on the instances, which must have
// stopped.
func ran(sites ...*site) map[string]int {
	times := map[string]int{}
	for _, s := range sites {
		for len(s.began) > 0 {
			times[<-s.began]++
		}
	}
	return times
}

// wantOnce fails the test unless each of the requests ran once.
func wantOnce(t *testing.T, times map[string]int, requests int) {
	t.Helper()
	if len(times) != requests {
		t.Errorf("%d requests ran, want %d", len(times), requests)
	}
	for text, n := range times {
		if n != 1 {
			t.Errorf("request %s ran %d times", text, n)
		}
	}
}

// journal is a log that counts lines and says when one comes.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) count(part string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.text.String(), part)
}

func (j *journal) log() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }
