package daemon_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-649d3d38/heddle/daemon"
)

// pipes is a listener inside the process, so that a test can have time to itself.
type pipes struct {
	calls  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{calls: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.calls:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.calls <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// TestServeLingers has clients go on for as long as a load balancer may take to hear that
// the program stops.
func TestServeLingers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := daemon.Flags{DrainTimeout: 20 * time.Second}.Start(t.Context(), "test", io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		l := newPipes()
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "here") })}
		if err := r.Serve("test", server, l, 5*time.Second); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Wait(ctx) }()
		client := &http.Client{Transport: &http.Transport{DialContext: l.dial}}
		ask := func() (closing bool, err error) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://test/", nil)
			if err != nil {
				return false, err
			}
			answer, err := client.Do(request)
			if err != nil {
				return false, err
			}
			defer answer.Body.Close()
			text, err := io.ReadAll(answer.Body)
			if string(text) != "here" {
				t.Errorf("got %q", text)
			}
			return answer.Close, err
		}
		if closing, err := ask(); closing || err != nil {
			t.Errorf("before: closing %t, %v", closing, err)
		}
		stop()
		synctest.Wait()
		for range 4 { // the first one on the connection that was there
			if closing, err := ask(); !closing || err != nil {
				t.Errorf("meanwhile: closing %t, %v", closing, err)
			}
			time.Sleep(time.Second) //nolint:forbidigo // the test has its own time
		}
		time.Sleep(2 * time.Second) //nolint:forbidigo // the test has its own time
		synctest.Wait()
		if _, err := ask(); err == nil {
			t.Error("it takes requests after the time for that")
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
		client.CloseIdleConnections()
	})
}

func TestServeRefusesToLingerTooLong(t *testing.T) {
	t.Parallel()
	r, err := daemon.Flags{DrainTimeout: 5 * time.Second}.Start(t.Context(), "test", io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	err = r.Serve("test", new(http.Server), newPipes(), 5*time.Second)
	if err == nil || !strings.Contains(err.Error(), "--drain-delay") {
		t.Errorf("got %v", err)
	}
	if err := r.Abort(t.Context(), nil); err != nil {
		t.Error(err)
	}
}
