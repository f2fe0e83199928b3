package admin_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/seed-649d3d38/heddle/internal/admin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "heddle_picks_total 3\n")
})

func TestHandler(t *testing.T) {
	t.Parallel()
	ready := func() error { return nil }
	lost := func() error { return errors.New("the broker is not connected") }
	for name, test := range map[string]struct {
		ready        func() error
		method, path string
		status       int
		body         string
	}{
		"live":                  {ready, "GET", "/healthz", 200, "ok\n"},
		"live while not ready":  {lost, "GET", "/healthz", 200, "ok\n"},
		"ready":                 {ready, "GET", "/readyz", 200, "ready\n"},
		"not ready":             {lost, "GET", "/readyz", 503, "not ready: the broker is not connected\n"},
		"head":                  {ready, "HEAD", "/readyz", 200, ""},
		"metrics":               {ready, "GET", "/metrics", 200, "heddle_picks_total 3\n"},
		"metrics while not":     {lost, "GET", "/metrics", 200, "heddle_picks_total 3\n"},
		"nothing may be posted": {ready, "POST", "/healthz", 405, "Method Not Allowed\n"},
		"no such path":          {ready, "GET", "/debug/pprof/", 404, "404 page not found\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(admin.Handler(metrics, test.ready))
			defer server.Close()
			request, err := http.NewRequestWithContext(t.Context(), test.method, server.URL+test.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			response, err := server.Client().Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != test.status || string(body) != test.body {
				t.Errorf("answer = %d %q, want %d %q", response.StatusCode, body, test.status, test.body)
			}
			if strings.HasSuffix(test.path, "z") && test.status != 405 && response.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("a probe's answer may be cached: %v", response.Header)
			}
		})
	}
}

// get makes one request on a connection of its own and wants no content.
func get(ctx context.Context, address net.Addr) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address.String(), nil)
	if err != nil {
		return err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusNoContent {
		return errors.New(response.Status)
	}
	return nil
}

func TestServe(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	arrived, answer := make(chan struct{}), make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-answer
		w.WriteHeader(http.StatusNoContent)
	})
	served := make(chan error)
	go func() { served <- admin.Serve(ctx, l, slow) }()

	got := make(chan error)
	go func() { got <- get(t.Context(), l.Addr()) }()
	<-arrived
	cancel()
	close(answer)
	if err := <-got; err != nil {
		t.Errorf("request in flight at the end: %v", err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("listener after the end: %v, want it closed", err)
	}
}

// TestServeEndsInTime checks that a request that never ends does not hold up the end.
func TestServeEndsInTime(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stuck := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	served := make(chan error)
	go func() { served <- admin.Serve(ctx, l, stuck) }()
	if err := get(t.Context(), l.Addr()); err == nil {
		t.Error("the stuck request got an answer")
	}
	if err := <-served; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error = %v, want deadline exceeded", err)
	}
}

func TestServeOnClosedListener(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := admin.Serve(t.Context(), l, http.NotFoundHandler()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("error = %v, want the listener closed", err)
	}
}
