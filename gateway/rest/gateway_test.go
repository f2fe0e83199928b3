package rest_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/gateway/rest"
)

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	cases := map[string]func(*rest.Config){
		"no endpoints":  func(c *rest.Config) { c.Endpoints = nil },
		"no requester":  func(c *rest.Config) { c.Requester = nil },
		"no connection": func(c *rest.Config) { c.Conn = nil },
		"no log":        func(c *rest.Config) { c.Log = nil },
		"no query form": func(c *rest.Config) { c.Endpoints = []contract.Descriptor{nested.Descriptor()} },
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var good rest.Config
			start(t, func(c *rest.Config) { good = *c })
			spoil(&good)
			if _, err := rest.New(good); err == nil {
				t.Error("New succeeded")
			}
		})
	}
}

// nested is a pure operation whose request no query can carry.
var nested = contract.Define[nestedRequest, struct{}](contract.Spec{Service: "nested", Operation: "run", Pure: true})

type nestedRequest struct {
	Part struct {
		N int `json:"n"`
	} `json:"part"`
}

func (nestedRequest) Validate() error { return nil }

func TestUnknownPaths(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	cases := map[string]string{
		"/v1/fibonaci/term":                `no service "fibonaci"; the services are fibonacci, sqrt, crawler`,
		"/v1/fibonaci":                     `no service "fibonaci"`,
		"/v1":                              "there is nothing at /v1;",
		"/v1/":                             `no service ""`,
		"/v1/sqrt/cube":                    `service sqrt has no operation "cube"; its operations are root, integer, floats`,
		"/v1/sqrt":                         `service sqrt has no operation ""`,
		"/v1/sqrt/root/":                   `service sqrt has no operation "root/"`,
		"/v1/fibonacci/term/other":         `no operation "term/other"`,
		"/v2/fibonacci/term":               "there is nothing at /v2/fibonacci/term; operations are at /v1/{service}/{operation}",
		"/favicon.ico":                     "there is nothing at /favicon.ico",
		"/docs/swagger-ui.js":              "there is nothing at",
		"/v1/%00%1b[31m":                   `no service "??[31m"`,
		"/v1/" + strings.Repeat("ü", 1000): `no service "` + strings.Repeat("ü", 80) + `…"`,
	}
	for target, words := range cases {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
			wantProblem(t, s.do(request(t, method, target, nil)), contract.CodeNotFound, "", words)
		}
	}
}

func TestWrongMethods(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	cases := []struct{ target, allowed string }{
		{"/v1/fibonacci/term", "GET, HEAD, POST"},
		{"/v1/crawler/links", "POST"},
		{"/v1/services", "GET, HEAD"},
		{"/openapi.json", "GET, HEAD"},
		{"/docs/", "GET, HEAD"},
		{"/", "GET, HEAD"},
	}
	for _, c := range cases {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"} {
			if strings.Contains(c.allowed, method) {
				continue
			}
			r := s.do(request(t, method, c.target, nil))
			wantProblem(t, r, contract.CodeMethodNotAllowed, "", "the method "+method+" is not allowed here; use "+c.allowed)
			if got := r.Header.Get("Allow"); got != c.allowed {
				t.Errorf("%s %s: Allow is %q, want %q", method, c.target, got, c.allowed)
			}
		}
	}
}

// TestUncleanPath holds what net/http does with a path that is not the shortest: it
// names the right one, under which the caller gets the answer.
func TestUncleanPath(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	r := s.get("//v1/./fibonacci/x/../term?n=1")
	if r.StatusCode != http.StatusTemporaryRedirect || r.Header.Get("Location") != "/v1/fibonacci/term?n=1" {
		t.Errorf("status %d to %q", r.StatusCode, r.Header.Get("Location"))
	}
}

func TestHead(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.respond(contract.FibonacciTerm.Descriptor(), func(m *nats.Msg) *nats.Msg { return &nats.Msg{Data: []byte(`{"value":"55"}`)} })
	server := httptest.NewServer(s.gateway)
	defer server.Close()
	r, err := http.Head(server.URL + "/v1/fibonacci/term?n=10")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	body, err := io.ReadAll(r.Body)
	if r.StatusCode != http.StatusOK || err != nil || len(body) != 0 || r.ContentLength != 14 || r.Header.Get("Etag") == "" {
		t.Errorf("HEAD: %d, %v, body %q, length %d, tag %q", r.StatusCode, err, body, r.ContentLength, r.Header.Get("Etag"))
	}
}

// breaking is a request body that panics when it is read.
type breaking struct{}

func (breaking) Read([]byte) (int, error) { panic("the loom broke") }

func TestPanic(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	s := start(t, func(c *rest.Config) { c.Log = slog.New(slog.NewTextHandler(&logged, nil)) })
	r := s.do(request(t, http.MethodPost, "/v1/fibonacci/term", breaking{}, "Content-Type", "application/json"))
	e := problemOf(t, r)
	if e.Code != contract.CodeInternal || e.Reference == "" || strings.Contains(e.Detail, "loom") {
		t.Errorf("problem is %+v", e)
	}
	for _, want := range []string{"level=ERROR", "the loom broke", e.Reference, "breaking.Read"} {
		if !strings.Contains(logged.String(), want) {
			t.Errorf("log lacks %q: %s", want, &logged)
		}
	}
}

// brokenWriter panics when the body of a response is written.
type brokenWriter struct{ httptest.ResponseRecorder }

func (*brokenWriter) Write([]byte) (int, error) { panic("the thread broke") }

func TestPanicAfterTheResponseBegan(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.aborted(&brokenWriter{*httptest.NewRecorder()}, request(t, http.MethodGet, "/openapi.json", nil))
}

func TestDebugLog(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	s := start(t, func(c *rest.Config) {
		c.Log = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	s.get("/v1/nothing")
	for _, want := range []string{"method=GET", "path=/v1/nothing", "status=404", "duration="} {
		if !strings.Contains(logged.String(), want) {
			t.Errorf("log lacks %q: %s", want, &logged)
		}
	}
}

// TestCallerGone has the caller leave while the service works.
func TestCallerGone(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	s := start(t, func(c *rest.Config) {
		c.Log = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	ctx, leave := context.WithCancel(t.Context())
	s.respond(contract.FibonacciTerm.Descriptor(), func(*nats.Msg) *nats.Msg {
		leave()
		return nil
	})
	w := httptest.NewRecorder()
	s.aborted(w, request(t, http.MethodGet, "/v1/fibonacci/term?n=1", nil).WithContext(ctx))
	if w.Body.Len() != 0 || len(w.Header()) != 0 {
		t.Errorf("wrote %v %s to a caller that left", w.Header(), w.Body)
	}
	if !strings.Contains(logged.String(), "status=499") {
		t.Errorf("log lacks the status: %s", &logged)
	}
}
