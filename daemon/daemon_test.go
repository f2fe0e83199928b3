package daemon_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/daemon"
	"github.com/seed-649d3d38/heddle/internal/broker"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/internal/cli"
	"github.com/seed-649d3d38/heddle/jobs"
	"github.com/seed-649d3d38/heddle/solver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// watched is output that says when a line has been written.
type watched struct {
	mu    sync.Mutex
	text  bytes.Buffer
	until string
	seen  chan struct{}
}

func watch(until string) *watched { return &watched{until: until, seen: make(chan struct{})} }

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := strings.Contains(w.text.String(), w.until)
	w.text.Write(p)
	if !before && strings.Contains(w.text.String(), w.until) {
		close(w.seen)
	}
	return len(p), nil
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

type pingRequest struct{}

func (pingRequest) Validate() error { return nil }

var ping = contract.Define[pingRequest, struct{}](contract.Spec{Service: "ping", Operation: "once"})

func pingService() solver.Service {
	return solver.Service{Name: "ping", Version: "1.0.0", Operations: []solver.Operation{
		solver.Bind(ping, func(context.Context, pingRequest) (struct{}, error) { return struct{}{}, nil }),
	}}
}

func listening(t *testing.T) *broker.Broker {
	t.Helper()
	b, err := broker.Start(t.Context(), broker.Config{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Shutdown)
	return b
}

// TestMainServes runs a whole program: it answers on NATS, shows health, and ends with 0
// when it is told to stop.
func TestMainServes(t *testing.T) {
	t.Parallel()
	b := listening(t)
	ctx, stop := context.WithCancel(t.Context())
	log := watch("msg=ready")
	code := make(chan int)
	go func() {
		code <- daemon.Main(ctx, []string{"--server", b.URL(), "--admin", "127.0.0.1:0", "--slots", "2"}, io.Discard, log, daemon.Program{
			Name: "ping", Services: daemon.Fixed(pingService()),
		})
	}()
	<-log.seen
	nc, err := nats.Connect(b.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if r, err := nc.Request(ping.Subject(), []byte("{}"), 10*time.Second); err != nil || string(r.Data) != "{}" {
		t.Errorf("request: %v, %v", r, err)
	}
	address := regexp.MustCompile(`admin=(\S+)`).FindStringSubmatch(log.String())[1]
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ready", "/metrics": `heddle_slots{`} {
		if got := fetch(t, "http://"+address+path); !strings.Contains(got, want) {
			t.Errorf("%s: got %.200q, want %q", path, got, want)
		}
	}
	stop()
	if c := <-code; c != cli.ExitOK {
		t.Errorf("exit code %d, want 0\n%s", c, log)
	}
}

func fetch(t *testing.T, address string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestMainRefuses(t *testing.T) {
	t.Parallel()
	broken := errors.New("no such thing")
	for name, c := range map[string]struct {
		args     []string
		services func() ([]solver.Service, error)
		code     int
		says     string
	}{
		"unknown flag": {[]string{"--no-such"}, daemon.Fixed(pingService()), cli.ExitUsage, "--no-such"},
		"bad size":     {[]string{"--memory", "much"}, daemon.Fixed(pingService()), cli.ExitUsage, "512MiB"},
		"bad level":    {[]string{"--log-level", "loud"}, daemon.Fixed(pingService()), cli.ExitUsage, "log-level"},
		"bad services": {nil, func() ([]solver.Service, error) { return nil, broken }, cli.ExitFailure, broken.Error()},
		"bad address":  {[]string{"--admin", "nowhere"}, daemon.Fixed(pingService()), cli.ExitFailure, "--admin"},
		"help":         {[]string{"--help"}, daemon.Fixed(pingService()), cli.ExitOK, "HEDDLE_SLOTS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			code := daemon.Main(t.Context(), c.args, &out, &out, daemon.Program{Name: "ping", Services: c.services})
			if code != c.code || !strings.Contains(out.String(), c.says) {
				t.Errorf("exit code %d, want %d\n%s", code, c.code, out.String())
			}
		})
	}
}

// TestStoppedWhileWaiting shows that a program that waits for its broker can be stopped,
// and that this is no failure.
func TestStoppedWhileWaiting(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	log := watch("waiting for the broker")
	code := make(chan int)
	go func() {
		code <- daemon.Main(ctx, []string{"--server", "nats://127.0.0.1:1"}, io.Discard, log, daemon.Program{
			Name: "ping", Services: daemon.Fixed(pingService()),
		})
	}()
	<-log.seen
	stop()
	if c := <-code; c != cli.ExitOK {
		t.Errorf("exit code %d, want 0\n%s", c, log)
	}
}

func TestRuntimeStopsInReverse(t *testing.T) {
	t.Parallel()
	r, err := daemon.Flags{DrainTimeout: time.Minute}.Start(t.Context(), "test", io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, name := range []string{"first", "second", "third"} {
		r.OnStop(name, func(context.Context) error {
			order = append(order, name)
			return fmt.Errorf("%s is stuck", name)
		})
	}
	r.Fail(errors.New("the middle fell out"))
	err = r.Wait(t.Context())
	if !slices.Equal(order, []string{"third", "second", "first"}) {
		t.Errorf("stopped in the order %v", order)
	}
	for _, part := range []string{"the middle fell out", "stop second: second is stuck", "stop first"} {
		if !strings.Contains(fmt.Sprint(err), part) {
			t.Errorf("error %q lacks %q", err, part)
		}
	}
}

// TestJobsOnly runs an instance that takes nothing but jobs. Callers do not see it, and it
// is ready once there are streams to take jobs from.
func TestJobsOnly(t *testing.T) {
	t.Parallel()
	b, err := broker.Start(t.Context(), broker.Config{Listen: "127.0.0.1:0", Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Shutdown)
	ctx, stop := context.WithCancel(t.Context())
	log := watch("msg=ready")
	code := make(chan int)
	go func() {
		code <- daemon.Main(ctx, []string{"--server", b.URL(), "--admin", "127.0.0.1:0", "--jobs-only"}, io.Discard, log, daemon.Program{
			Name: "ping", Services: daemon.Fixed(pingService()),
		})
	}()
	<-log.seen
	nc, err := nats.Connect(b.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	for _, subject := range []string{ping.Subject(), contract.JobsSubject("list"), contract.SubmitSubject("ping", "once"), "$SRV.PING"} {
		if _, err := nc.Request(subject, []byte("{}"), 10*time.Second); !errors.Is(err, nats.ErrNoResponders) {
			t.Errorf("%s: %v, want nobody who answers", subject, err)
		}
	}
	address := regexp.MustCompile(`admin=(\S+)`).FindStringSubmatch(log.String())[1]
	brokertest.Await(t, "it is ready", func() bool { return strings.Contains(fetch(t, "http://"+address+"/readyz"), "ready\n") })
	store, err := jobs.Open(nc, jobs.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	job, _, err := store.Submit(t.Context(), jobs.Submission{Endpoint: ping.Descriptor(), Body: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := contract.ParseJobID(job.ID)
	if err != nil {
		t.Fatal(err)
	}
	if job, err = store.Wait(t.Context(), ref); err != nil || job.State != contract.JobSucceeded {
		t.Errorf("got %+v, %v", job, err)
	}
	stop()
	if c := <-code; c != cli.ExitOK {
		t.Errorf("exit code %d, want 0\n%s", c, log)
	}
}
