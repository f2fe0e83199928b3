package rest_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/gateway/rest"
)

func TestNewServerLimits(t *testing.T) {
	t.Parallel()
	s := rest.NewServer(http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	if s.ReadHeaderTimeout != 5*time.Second || s.IdleTimeout != 2*time.Minute || s.MaxHeaderBytes != 64<<10 {
		t.Errorf("server has %v, %v, %d", s.ReadHeaderTimeout, s.IdleTimeout, s.MaxHeaderBytes)
	}
	if s.ReadTimeout != 0 || s.WriteTimeout != 0 {
		t.Errorf("a limit on the whole request would end long work: %v, %v", s.ReadTimeout, s.WriteTimeout)
	}
}

func TestNewServerLogs(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	s := rest.NewServer(http.NotFoundHandler(), slog.New(slog.NewTextHandler(&logged, nil)))
	s.ErrorLog.Print("a connection broke")
	if got := logged.String(); !strings.Contains(got, "level=WARN") || !strings.Contains(got, "a connection broke") {
		t.Errorf("logged %q", got)
	}
}

// listen serves the gateway over TCP and returns its address.
func (s *suite) listen() string {
	s.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.Fatal(err)
	}
	server := rest.NewServer(s.gateway, slog.New(slog.DiscardHandler))
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(l) })
	s.Cleanup(func() {
		_ = server.Close()
		serving.Wait()
	})
	return l.Addr().String()
}

// dial connects to the gateway and sends text.
func (s *suite) dial(address, request string) net.Conn {
	s.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = c.Close() })
	if _, err := io.WriteString(c, request); err != nil {
		s.Fatal(err)
	}
	return c
}

// TestServed speaks HTTP by hand, where what is on the wire matters.
func TestServed(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.respond(term, func(m *nats.Msg) *nats.Msg { return &nats.Msg{Data: m.Data} })
	address := s.listen()
	post := "POST /v1/fibonacci/term HTTP/1.1\r\nHost: " + address + "\r\nContent-Type: application/json\r\n"
	cases := map[string]struct {
		request string
		status  int
		body    string // empty: a problem
		closed  bool
	}{
		"length":             {post + "Content-Length: 2\r\n\r\n{}", 200, "{}", false},
		"chunks":             {post + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", 200, "{}", false},
		"expect":             {post + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}", 100, "", false},
		"too large":          {post + fmt.Sprintf("Content-Length: %d\r\n\r\n{", contract.DefaultMaxRequest+1), 413, "", true},
		"too large by far":   {post + "Content-Length: 9223372036854775807\r\n\r\n{", 413, "", true},
		"method":             {"DELETE /v1/fibonacci/term HTTP/1.1\r\nHost: " + address + "\r\n\r\n", 405, "", false},
		"strange host":       {"GET /v1/fibonacci/term?n=1 HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403, "", false},
		"no host":            {"GET /v1/fibonacci/term?n=1 HTTP/1.0\r\n\r\n", 403, "", true},
		"absolute target":    {"GET http://evil.example/v1/fibonacci/term?n=1 HTTP/1.1\r\nHost: " + address + "\r\n\r\n", 403, "", false},
		"star":               {"OPTIONS * HTTP/1.1\r\nHost: " + address + "\r\n\r\n", 200, "", false},
		"headers too large":  {"GET / HTTP/1.1\r\nHost: " + address + "\r\nX: " + strings.Repeat("x", 80<<10) + "\r\n\r\n", 431, "", true},
		"query of 60 KiB":    {"GET /v1/fibonacci/term?n=" + strings.Repeat("1", 60<<10) + " HTTP/1.1\r\nHost: " + address + "\r\n\r\n", 200, `{"n":"` + strings.Repeat("1", 60<<10) + `"}`, false},
		"no request at all":  {"n=5\r\n\r\n", 400, "", true},
		"bad escape in path": {"GET /v1/%zz HTTP/1.1\r\nHost: " + address + "\r\n\r\n", 400, "", true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := s.dial(address, c.request)
			r, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = r.Body.Close() }()
			body, err := io.ReadAll(r.Body)
			if err != nil || r.StatusCode != c.status || r.Close != c.closed {
				t.Errorf("status %d, closed %t, %v: %s", r.StatusCode, r.Close, err, brief(string(body)))
			}
			if c.body != "" && string(body) != c.body {
				t.Errorf("body is %s", brief(string(body)))
			}
		})
	}
}

// TestCallerHangsUp closes a connection while the service works: the gateway notices
// without a word from the service.
func TestCallerHangsUp(t *testing.T) {
	t.Parallel()
	noticed := make(chan struct{})
	s := start(t, func(c *rest.Config) { c.Log = slog.New(statusHandler{"499", noticed}) })
	working := make(chan struct{})
	s.respond(term, func(*nats.Msg) *nats.Msg {
		close(working)
		return nil
	})
	address := s.listen()
	conn := s.dial(address, "GET /v1/fibonacci/term?n=1 HTTP/1.1\r\nHost: "+address+"\r\nHeddle-Timeout: 1h\r\n\r\n")
	<-working
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	<-noticed
}
