package jobs_test

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/seed-649d3d38/heddle/internal/broker"
	"github.com/seed-649d3d38/heddle/jobs"
)

// TestMain runs the tests, or in a process that a test has started, what the test wants.
func TestMain(m *testing.M) {
	role, ok := os.LookupEnv("HEDDLE_TEST_ROLE") //nolint:forbidigo // how a test says what its process is for
	if !ok {
		_ = flag.Set("rapid.checks", "25") // of some tens of steps each; more by hand
		goleak.VerifyTestMain(m)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM) //nolint:forbidigo // it is a program
	defer stop()
	if err := map[string]func(context.Context) error{"broker": beBroker, "instance": beInstance}[role](ctx); err != nil {
		panic(err)
	}
}

// process is another process that a test has started.
type process struct {
	t   testing.TB
	cmd *exec.Cmd
}

// start starts this program in a role, with variables "NAME=value", and returns when it is
// ready. It is killed when the test ends.
func start(t testing.TB, role string, variables ...string) *process {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), append(variables, "HEDDLE_TEST_ROLE="+role)...)
	cmd.Stderr = os.Stderr //nolint:forbidigo // of a process of the test
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: cmd}
	t.Cleanup(p.kill)
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("the %s did not get ready: %q, %v", role, line, err)
	}
	return p
}

// kill kills the process, if it still runs, and waits for its end.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// signal sends a signal to the process.
func (p *process) signal(s syscall.Signal) {
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Errorf("signal %v: %v", s, err)
	}
}

// beBroker runs a broker at an address on a folder.
func beBroker(ctx context.Context) error {
	b, err := broker.Start(ctx, broker.Config{Listen: os.Getenv("LISTEN"), Dir: os.Getenv("DIR")}) //nolint:forbidigo // as above
	if err != nil {
		return err
	}
	fmt.Println("ready") //nolint:forbidigo // to the test
	<-ctx.Done()
	b.Shutdown()
	return nil
}

// beInstance works on echoes until it is killed, by itself if the variable POINT says
// where. Each execution adds a line to the file LOG.
func beInstance(ctx context.Context) error {
	env := os.Getenv //nolint:forbidigo // as above
	work, err := time.ParseDuration(env("WORK"))
	if err != nil {
		return err
	}
	log, err := os.OpenFile(env("LOG"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	point := env("POINT")
	nc, err := nats.Connect(env("URL"), nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond),
		nats.RetryOnFailedConnect(true), nats.SetCustomDialer(deadly{point}))
	if err != nil {
		return err
	}
	s, err := jobs.Open(nc, jobs.Config{})
	if err != nil {
		return err
	}
	slots := make(chan struct{}, 8)
	var r *jobs.Runner
	began := make(chan struct{})
	r, err = s.Start(ctx, jobs.RunnerConfig{
		Service: echo.Service, Instance: filepath.Base(env("LOG")),
		Free: func() int { return cap(slots) - len(slots) },
		Run: func(ctx context.Context, a *jobs.Attempt) bool {
			<-began
			select {
			case slots <- struct{}{}:
			default:
				return false
			}
			go func() {
				work2, done := a.Start(ctx)
				defer done()
				_, _ = fmt.Fprintln(log, a.Ref().Token)
				if point == "handler" {
					<-time.After(work / 2)
					die()
				}
				<-time.After(work)
				<-slots
				r.Wake()
				if work2.Err() != nil {
					a.Fail(work2, work2.Err())
					return
				}
				a.Succeed(ctx, "application/json", bytes.NewReader(a.Message().Data))
			}()
			return true
		},
	})
	if err != nil {
		return err
	}
	close(began)
	fmt.Println("ready") //nolint:forbidigo // to the test
	<-ctx.Done()
	return nil
}

// die ends the process as a power cut or the kernel would.
func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// deadly makes connections that end the process when certain bytes pass.
type deadly struct{ point string }

// Dial implements nats.CustomDialer.
func (d deadly) Dial(network, address string) (net.Conn, error) {
	c, err := net.DialTimeout(network, address, patience)
	if err != nil || d.point == "" {
		return c, err
	}
	return deadlyConn{c, d.point}, nil
}

type deadlyConn struct {
	net.Conn
	point string
}

// Read implements net.Conn.
func (c deadlyConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.point == "delivery" && strings.Contains(string(p[:n]), ".work.echo.") {
		die()
	}
	return n, err
}

// Write implements net.Conn.
func (c deadlyConn) Write(p []byte) (int, error) {
	has := func(s string) bool { return strings.Contains(string(p), s) }
	if c.point == "handled" && has(`"state":"succeeded"`) || c.point == "stored" && has("+ACK") {
		die()
	}
	n, err := c.Conn.Write(p)
	if c.point == "running" && has(`"state":"running"`) || c.point == "acknowledged" && has("+ACK") {
		// What was written must get there, as it would if the machine went on.
		_, _ = io.Copy(io.Discard, io.LimitReader(c.Conn, 1))
		die()
	}
	return n, err
}
