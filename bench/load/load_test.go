package load_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/seed-649d3d38/heddle/bench/load"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const short = 20 * time.Millisecond

// check compares a result with what the other side has counted.
func check(t *testing.T, r load.Result, inFlight int, counted int64) {
	t.Helper()
	if r.Requests < inFlight || int64(r.Requests) != counted {
		t.Errorf("%d requests, at least %d were to be sent and %d came", r.Requests, inFlight, counted)
	}
	if r.Elapsed < short || r.P50 <= 0 || r.P99 < r.P50 || r.P99 > r.Elapsed {
		t.Errorf("times do not fit together: %+v", r)
	}
}

// clients are the ways to send requests over NATS.
var clients = map[string]func(context.Context, *nats.Conn, load.Run) (load.Result, error){
	"pipeline": load.Pipeline,
	"requests": load.Requests,
}

func TestNATS(t *testing.T) {
	t.Parallel()
	for name, send := range clients {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := brokertest.Start(t)
			var served atomic.Int64
			service := brokertest.Connect(t, b)
			if _, err := service.Subscribe("echo", func(m *nats.Msg) {
				served.Add(1)
				_ = m.Respond(m.Data)
			}); err != nil {
				t.Fatal(err)
			}
			if err := service.Flush(); err != nil {
				t.Fatal(err)
			}
			r, err := send(t.Context(), brokertest.Connect(t, b), load.Run{Target: "echo", Body: "{}", InFlight: 8, Duration: short})
			if err != nil {
				t.Fatal(err)
			}
			check(t, r, 8, served.Load())
		})
	}
}

func TestNATSRefusesWhatIsNotAnAnswer(t *testing.T) {
	t.Parallel()
	for name, send := range clients {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := brokertest.Start(t)
			service := brokertest.Connect(t, b)
			if _, err := service.Subscribe("refuse", func(m *nats.Msg) {
				_ = m.RespondMsg(&nats.Msg{Data: []byte("no"), Header: nats.Header{"Nats-Service-Error": {"refused"}}})
			}); err != nil {
				t.Fatal(err)
			}
			if err := service.Flush(); err != nil {
				t.Fatal(err)
			}
			client := brokertest.Connect(t, b)
			for _, subject := range []string{"refuse", "nobody"} {
				if _, err := send(t.Context(), client, load.Run{Target: subject, Body: "{}", InFlight: 2, Duration: short}); err == nil {
					t.Errorf("%s: the missing answer went unnoticed", subject)
				}
			}
		})
	}
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	var served, conns atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != `{"n":"10"}` || r.Method != http.MethodPost || r.URL.Path != "/v1/x" {
			http.Error(w, fmt.Sprint(r.Method, r.URL, string(body), err), http.StatusBadRequest)
			return
		}
		served.Add(1)
		fmt.Fprintf(w, "answer %s", strings.Repeat("x", int(served.Load()%7)))
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	r, err := load.HTTP(t.Context(), load.Run{
		Target: server.Listener.Addr().String(), Path: "/v1/x", Body: `{"n":"10"}`, InFlight: 8, Duration: short,
	})
	if err != nil {
		t.Fatal(err)
	}
	check(t, r, 8, served.Load())
	if conns.Load() != 8 {
		t.Errorf("%d connections, want 8", conns.Load())
	}
}

func TestHTTPRefusesWhatIsNotAnAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, response, want string }{
		{"other status", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "503"},
		{"no length", "HTTP/1.1 200 OK\r\n\r\n", "no Content-Length"},
		{"bad length", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "read length"},
		{"body cut short", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", "read body"},
		{"header cut short", "HTTP/1.1 200 OK\r\nContent-Le", "read header"},
		{"nothing", "", "read status"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := load.HTTP(t.Context(), load.Run{Target: answering(t, c.response), Path: "/", Body: "{}", InFlight: 1, Duration: short})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

// answering returns the address of a server that gives every connection the same
// bytes and closes it.
func answering(t *testing.T, response string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				_, _ = conn.Read(make([]byte, 4096)) // the request
				_, _ = io.WriteString(conn, response)
				_ = conn.Close()
			}
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}
