package main_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/broker"
)

// patience bounds what must happen; nothing waits that long unless it fails.
const patience = 30 * time.Second

// bin is the folder of the programs under test, built by TestMain.
var bin string

func TestMain(m *testing.M) {
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "heddle-bin-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-o", dir, ".", "./gateway", "./services/...")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build programs: %v\n%s", err, out)
		return 1
	}
	bin = dir
	return m.Run()
}

// TestScripts runs the scenarios of testdata/script on the real programs. Besides the
// commands of testscript, a scenario has:
//
//	start NAME PROGRAM [ARG...]   start a program and wait until it is ready; sets
//	                              $HTTP, $NATS and $ADMIN to the addresses it prints
//	terminate NAME                tell it to stop and wait until it says that it does
//	end NAME [SIGNAL]             signal it (TERM), wait for its end, print its output
//	broker                        start a broker with the streams of the last one, sets
//	                              $NATS_URL; nothing else runs in it
//	shutdown                      stop it
//	crash NAME                    end it at once, without a word
//	job VARIABLE [ARG...]         heddle jobs submit ARG...; the variable is the id
//	await ID STATE                wait until the job is in the state
//	schedule VARIABLE [ARG...]    make a schedule and keep its id in a variable
//	due ID                        wait until the schedule is the job of its id
//	get URL [HEADER: VALUE...]    print status, headers and body of an HTTP GET
//	head URL [HEADER: VALUE...]   the same for a HEAD
//	post URL BODY [HEADER...]     the same for a POST, as JSON unless a header says else
//	site                          start a web site, sets $SITE: / has two links, /slow
//	                              answers when it is told to
//	slow                          wait until /slow has a visitor
//	release                       let /slow answer
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup:               func(env *testscript.Env) error { return setup(env, bin) },
		Cmds:                commands,
	})
}

var commands = map[string]func(*testscript.TestScript, bool, []string){
	"start":     start,
	"terminate": terminate,
	"end":       end,
	"crash":     crash,
	"broker":    startBroker,
	"shutdown":  shutdownBroker,
	"job":       submitJob,
	"await":     awaitJob,
	"schedule":  makeSchedule,
	"due":       awaitDue,
	"get":       get,
	"head":      head,
	"post":      post,
	"site":      startSite,
	"slow":      awaitSlow,
	"release":   release,
}

// world is what a scenario has started.
type world struct {
	programs map[string]*program
	site     *site
	broker   *broker.Broker
}

type worldKey struct{}

// setup prepares a scenario for the programs in a folder.
func setup(env *testscript.Env, bin string) error {
	w := &world{programs: make(map[string]*program)}
	env.Values[worldKey{}] = w
	env.Defer(w.kill)
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("BIN", bin)
	env.Setenv("PATH", bin+string(filepath.ListSeparator)+env.Getenv("PATH"))
	return nil
}

// kill ends what a scenario that failed has left running.
func (w *world) kill() {
	if w.site != nil {
		w.site.close()
	}
	for _, p := range w.programs {
		_ = p.cmd.Process.Kill() // it may have ended already
		<-p.done
	}
	if w.broker != nil {
		w.broker.Shutdown()
	}
}

// program is a program under test while it runs.
type program struct {
	cmd      *exec.Cmd
	output   lockedBuffer
	ready    chan struct{}
	draining chan struct{}
	told     bool // to stop
	done     chan struct{}
	err      error // of the end; valid once done is closed
}

// lockedBuffer collects output that is read while it is written.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) line(s string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buf.WriteString(s + "\n")
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// readyLine is what a program prints when it serves.
var readyLine = regexp.MustCompile(`Ctrl-C drains and stops|msg=ready`)

func start(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start NAME PROGRAM [ARG...]")
	}
	p := &program{
		cmd:   exec.Command(filepath.Join(ts.Getenv("BIN"), args[1]), args[2:]...),
		ready: make(chan struct{}), draining: make(chan struct{}), done: make(chan struct{}),
	}
	p.cmd.Dir = ts.MkAbs(".")
	p.cmd.Env = append(os.Environ(), "HOME="+ts.Getenv("HOME"), "NATS_URL="+ts.Getenv("NATS_URL"))
	reader, writer := io.Pipe()
	p.cmd.Stdout, p.cmd.Stderr = writer, writer
	ts.Check(p.cmd.Start())
	ts.Value(worldKey{}).(*world).programs[args[0]] = p
	scanned := make(chan struct{})
	go p.scan(reader, scanned)
	go func() {
		p.err = p.cmd.Wait()
		_ = writer.Close()
		<-scanned
		close(p.done)
	}()
	select {
	case <-p.ready:
	case <-p.done:
		ts.Fatalf("%s ended before it was ready: %v\n%s", args[0], p.err, p.output.String())
	case <-time.After(patience):
		ts.Fatalf("%s is not ready:\n%s", args[0], p.output.String())
	}
	exportAddresses(ts, p.output.String())
}

// scan collects the output and notices the ready line.
func (p *program) scan(r io.Reader, done chan<- struct{}) {
	defer close(done)
	ready, draining := false, false
	for lines := bufio.NewScanner(r); lines.Scan(); {
		p.output.line(lines.Text())
		if !ready && readyLine.MatchString(lines.Text()) {
			ready = true
			close(p.ready)
		}
		if !draining && strings.Contains(lines.Text(), "msg=draining") {
			draining = true
			close(p.draining)
		}
	}
}

// addresses finds what a program listens on in what it prints.
var addresses = map[string]*regexp.Regexp{
	"HTTP":  regexp.MustCompile(`(?:HTTP   http://|http=)(\S+)`),
	"NATS":  regexp.MustCompile(`NATS   (nats://\S+)`),
	"ADMIN": regexp.MustCompile(`(?:Admin  http://|admin=)(\S+)`),
}

func exportAddresses(ts *testscript.TestScript, output string) {
	for name, pattern := range addresses {
		if m := pattern.FindStringSubmatch(output); m != nil {
			ts.Setenv(name, m[1])
		}
	}
}

func terminate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: terminate NAME")
	}
	p := ts.Value(worldKey{}).(*world).programs[args[0]]
	ts.Check(p.cmd.Process.Signal(syscall.SIGTERM))
	p.told = true
	select {
	case <-p.draining:
	case <-p.done:
		ts.Fatalf("%s ended at once: %v\n%s", args[0], p.err, p.output.String())
	case <-time.After(patience):
		ts.Fatalf("%s does not drain:\n%s", args[0], p.output.String())
	}
}

func end(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: end NAME [SIGNAL]")
	}
	p := ts.Value(worldKey{}).(*world).programs[args[0]]
	signal := syscall.SIGTERM
	if slices.Equal(args[1:], []string{"INT"}) {
		signal = syscall.SIGINT
	}
	if !p.told { // a second signal would end it at once
		ts.Check(p.cmd.Process.Signal(signal))
	}
	select {
	case <-p.done:
	case <-time.After(patience):
		ts.Fatalf("%s does not stop:\n%s", args[0], p.output.String())
	}
	fmt.Fprint(ts.Stdout(), p.output.String())
	if (p.err != nil) != neg {
		ts.Fatalf("%s ended with %v\n%s", args[0], p.err, p.output.String())
	}
}

// startBroker starts a broker that is nothing else.
func startBroker(ts *testscript.TestScript, _ bool, _ []string) {
	b, err := broker.Start(context.Background(), broker.Config{Listen: "127.0.0.1:0", Dir: ts.MkAbs("streams")})
	ts.Check(err)
	ts.Value(worldKey{}).(*world).broker = b
	ts.Setenv("NATS_URL", b.URL())
}

func shutdownBroker(ts *testscript.TestScript, _ bool, _ []string) {
	w := ts.Value(worldKey{}).(*world)
	w.broker.Shutdown()
	w.broker = nil
}

// crash ends a program without a word to anybody.
func crash(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: crash NAME")
	}
	p := ts.Value(worldKey{}).(*world).programs[args[0]]
	ts.Check(p.cmd.Process.Kill())
	<-p.done
}

// submitJob submits a job and keeps its id in a variable.
func submitJob(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: job VARIABLE [ARG...]")
	}
	ts.Check(ts.Exec("heddle", append([]string{"jobs", "submit"}, args[1:]...)...))
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// awaitJob waits until a job is in a state.
func awaitJob(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await ID STATE")
	}
	nc, err := nats.Connect(ts.Getenv("NATS_URL"))
	ts.Check(err)
	defer nc.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	last := contract.Job{}
	for job, err := range (&client.NATS{Conn: nc}).WatchJob(ctx, args[0]) {
		ts.Check(err)
		if last = job; string(job.State) == args[1] {
			return
		}
	}
	ts.Fatalf("the job %s is %s, not %s", args[0], last.State, args[1])
}

func get(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: get URL [HEADER: VALUE...]")
	}
	exchange(ts, neg, http.MethodGet, args[0], "", args[1:])
}

func head(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: head URL [HEADER: VALUE...]")
	}
	exchange(ts, neg, http.MethodHead, args[0], "", args[1:])
}

func post(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: post URL BODY [HEADER: VALUE...]")
	}
	exchange(ts, neg, http.MethodPost, args[0], args[1], args[2:])
}

// exchange sends one HTTP request and prints the response. Negated, it expects a
// status of 400 or above.
func exchange(ts *testscript.TestScript, neg bool, method, url, body string, headers []string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	ts.Check(err)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if r.Header.Set(name, value); name == "Host" {
			r.Host = value
		}
	}
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(r)
	ts.Check(err)
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	ts.Check(err)
	fmt.Fprintln(ts.Stdout(), resp.Status)
	ts.Check(resp.Header.Write(ts.Stdout()))
	fmt.Fprintf(ts.Stdout(), "\n%s\n", content)
	if refused := resp.StatusCode >= http.StatusBadRequest; refused != neg {
		ts.Fatalf("%s %s: %s\n%s", method, url, resp.Status, content)
	}
}

// site is a small web site on a loopback address.
type site struct {
	server           *httptest.Server
	visited, answers chan struct{}
	released         sync.Once
}

func startSite(ts *testscript.TestScript, _ bool, _ []string) {
	s := &site{visited: make(chan struct{}, 100), answers: make(chan struct{})}
	mux := http.NewServeMux()
	page := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<title>A site</title><a href="/one">One &amp; only</a> <a rel=nofollow href="two#part">Two</a> <a href="/one">again</a>`)
	}
	mux.HandleFunc("/", page)
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		s.visited <- struct{}{}
		select {
		case <-s.answers:
			page(w, r)
		case <-r.Context().Done():
		}
	})
	s.server = httptest.NewServer(mux)
	ts.Value(worldKey{}).(*world).site = s
	ts.Setenv("SITE", s.server.URL)
}

func (s *site) release() { s.released.Do(func() { close(s.answers) }) }

func (s *site) close() {
	s.release()
	s.server.Close()
}

func awaitSlow(ts *testscript.TestScript, _ bool, _ []string) {
	select {
	case <-ts.Value(worldKey{}).(*world).site.visited:
	case <-time.After(patience):
		ts.Fatalf("nobody visits /slow")
	}
}

func release(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Value(worldKey{}).(*world).site.release()
}
