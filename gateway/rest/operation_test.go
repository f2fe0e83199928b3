package rest_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/gateway/rest"
	"github.com/seed-649d3d38/heddle/internal/bus"
)

var term = contract.FibonacciTerm.Descriptor()

// capture answers the operation's requests with {} and returns those it got.
func (s *suite) capture(d contract.Descriptor) <-chan *nats.Msg {
	s.Helper()
	got := make(chan *nats.Msg, 16)
	s.respond(d, func(m *nats.Msg) *nats.Msg {
		got <- m
		return &nats.Msg{Data: []byte("{}")}
	})
	return got
}

// TestPassThrough holds that bytes and headers pass as they are, in both directions.
func TestPassThrough(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	const sent, answered = " {\t\"n\" :  100,\r\n \"ünknown\": [1.0] } ", "{ \"anything\" : \"at all\" }\n"
	got := make(chan *nats.Msg, 1)
	s.respond(term, func(m *nats.Msg) *nats.Msg {
		got <- m
		return &nats.Msg{Data: []byte(answered), Header: nats.Header{
			contract.HeaderInstance:     {"I1"},
			contract.HeaderServerTiming: {"queue;dur=0.012, work;dur=3.4"},
			"X-Else":                    {"stays behind"},
		}}
	})
	r := s.post("/v1/fibonacci/term", sent)
	if m := <-got; string(m.Data) != sent || len(m.Header) != 0 {
		t.Errorf("the service got %q with header %v", m.Data, m.Header)
	}
	if body := text(t, r); r.StatusCode != http.StatusOK || body != answered {
		t.Errorf("status %d, body %q", r.StatusCode, body)
	}
	want := map[string]string{
		"Content-Type": "application/json", "Heddle-Instance": "I1", "Server-Timing": "queue;dur=0.012, work;dur=3.4",
		"X-Else": "", "Etag": "", "Cache-Control": "", "Vary": "", "Content-Length": strconv.Itoa(len(answered)),
	}
	for name, value := range want {
		if r.Header.Get(name) != value {
			t.Errorf("%s is %q, want %q", name, r.Header.Get(name), value)
		}
	}
}

func TestRequestHeaders(t *testing.T) {
	t.Parallel()
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	cases := map[string]struct {
		headers []string
		want    nats.Header
	}{
		"nothing":        {nil, nil},
		"accept any":     {[]string{"Accept", "*/*"}, nil},
		"accept JSON":    {[]string{"Accept", "application/json"}, nil},
		"accept text":    {[]string{"Accept", "text/plain;q=1, */*;q=0.1"}, nats.Header{"Accept": {"text/plain;q=1, */*;q=0.1"}}},
		"accept twice":   {[]string{"Accept", "text/html", "Accept", "text/plain"}, nats.Header{"Accept": {"text/html, text/plain"}}},
		"trace":          {[]string{"Traceparent", parent, "Tracestate", "a=b"}, nats.Header{"traceparent": {parent}, "tracestate": {"a=b"}}},
		"state alone":    {[]string{"Tracestate", "a=b"}, nil},
		"others":         {[]string{"Authorization", "Bearer x", "Cookie", "a=b", "X-Heddle", "1", "Nats-Msg-Id", "7"}, nil},
		"content type":   {[]string{"Content-Length", "2"}, nil},
		"host and agent": {[]string{"User-Agent", "curl/8"}, nil},
	}
	s := start(t, nil)
	got := s.capture(term)
	for name, c := range cases {
		s.post("/v1/fibonacci/term", "{}", c.headers...)
		m := <-got
		if len(m.Header) != len(c.want) {
			t.Errorf("%s: header is %v, want %v", name, m.Header, c.want)
		}
		for key, values := range c.want {
			if !slices.Equal(m.Header[key], values) {
				t.Errorf("%s: %s is %q, want %q", name, key, m.Header[key], values)
			}
		}
	}
}

// TestTimeout holds that the service gets what is left of the time the caller allowed.
func TestTimeout(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	got := s.capture(term)
	for _, value := range []string{"2.5s", "1h", "1h0m0.000s", "300ms"} {
		s.post("/v1/fibonacci/term", "{}", contract.HeaderTimeout, value)
		asked, err := time.ParseDuration(value)
		if err != nil {
			t.Fatal(err)
		}
		m := <-got
		left, err := contract.ParseTimeout(m.Header.Get(contract.HeaderTimeout))
		if err != nil || left <= 0 || left >= asked {
			t.Errorf("%s became %q: %v", value, m.Header.Get(contract.HeaderTimeout), err)
		}
	}
	for _, value := range []string{"", "0s", "-1s", "1h1ns", "soon", "10", "1s, 2s", "NaN"} {
		r := s.post("/v1/fibonacci/term", "{}", contract.HeaderTimeout, value)
		wantProblem(t, r, contract.CodeInvalidArgument, contract.HeaderTimeout, "must be a duration")
	}
	r := s.post("/v1/fibonacci/term", "{}", contract.HeaderTimeout, "1s", contract.HeaderTimeout, "2s")
	wantProblem(t, r, contract.CodeInvalidArgument, contract.HeaderTimeout, "must be a duration")
}

// TestTimeRunsOut has a service that never answers.
func TestTimeRunsOut(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.respond(term, func(*nats.Msg) *nats.Msg { return nil })
	r := s.get("/v1/fibonacci/term?n=1", contract.HeaderTimeout, "1ms")
	wantProblem(t, r, contract.CodeDeadlineExceeded, "", "ran out")
	if tag := r.Header.Get("Etag"); tag != "" {
		t.Errorf("problem has the entity tag %s", tag)
	}
}

// TestProblemsPass sends every error that the contract has through the gateway.
func TestProblemsPass(t *testing.T) {
	t.Parallel()
	for _, code := range contract.Codes() {
		t.Run(string(code), func(t *testing.T) {
			t.Parallel()
			s := start(t, nil)
			fault := contract.Errorf(code, "because of %s", code).At("member")
			fault.RetryAfter = 1500 * time.Millisecond
			reply := problem(t, fault)
			reply.Header[contract.HeaderInstance] = []string{"I7"}
			s.respond(term, func(*nats.Msg) *nats.Msg { return reply })
			r := s.get("/v1/fibonacci/term?n=1")
			if code == contract.CodeCanceled {
				// The caller is there, so this is not the caller's doing.
				wantProblem(t, r, contract.CodeUnavailable, "", "try again")
				return
			}
			body := text(t, r)
			r.Body = readCloser(body)
			wantProblem(t, r, code, "member", "because of")
			if body != string(reply.Data) {
				t.Errorf("body is %s, want %s", body, reply.Data)
			}
			for name, want := range map[string]string{"Retry-After": "2", "Heddle-Instance": "I7", "Etag": ""} {
				if r.Header.Get(name) != want {
					t.Errorf("%s is %q, want %q", name, r.Header.Get(name), want)
				}
			}
		})
	}
}

// TestForeignErrors has a service answer with errors that are not quite the contract's.
func TestForeignErrors(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	cases := map[string]struct {
		header nats.Header
		body   string
		code   contract.Code
		status int
		words  string
	}{
		"plain ADR-32":      {nats.Header{"Nats-Service-Error": {"no such thread"}, "Nats-Service-Error-Code": {"404"}}, "", contract.CodeNotFound, 404, "no such thread"},
		"of several codes":  {nats.Header{"Nats-Service-Error": {"odd"}, "Nats-Service-Error-Code": {"422"}}, "odd", contract.CodeInvalidArgument, 422, "odd"},
		"unknown number":    {nats.Header{"Nats-Service-Error": {"a\x1b[31m"}, "Nats-Service-Error-Code": {"418"}}, `{"code":""}`, contract.CodeUpstream, 502, "a?[31m"},
		"caller left":       {nats.Header{"Nats-Service-Error": {"left"}, "Nats-Service-Error-Code": {"499"}}, "", contract.CodeUpstream, 502, "left"},
		"code of tomorrow":  {nats.Header{"Nats-Service-Error-Code": {"418"}}, `{"code":"teapot","detail":"taken","status":418}`, "teapot", 418, "taken"},
		"no number":         {nats.Header{"Nats-Service-Error": {"secret"}, "Nats-Service-Error-Code": {"bad"}}, "", contract.CodeInternal, 500, "internal error"},
		"number of success": {nats.Header{"Nats-Service-Error": {"secret"}, "Nats-Service-Error-Code": {"200"}}, "", contract.CodeInternal, 500, "internal error"},
		"number too large":  {nats.Header{"Nats-Service-Error": {"secret"}, "Nats-Service-Error-Code": {"600"}}, "", contract.CodeInternal, 500, "internal error"},
	}
	s := start(t, func(c *rest.Config) { c.Log = slog.New(slog.NewTextHandler(&logged, nil)) })
	answer := make(chan *nats.Msg, 1)
	s.respond(term, func(*nats.Msg) *nats.Msg { return <-answer })
	for name, c := range cases {
		logged.Reset()
		answer <- &nats.Msg{Header: c.header, Data: []byte(c.body)}
		r := s.post("/v1/fibonacci/term", "{}")
		e := problemOf(t, r)
		if e.Code != c.code || r.StatusCode != c.status || !strings.Contains(e.Detail, c.words) {
			t.Errorf("%s: %d %s %q, want %d %s %q", name, r.StatusCode, e.Code, e.Detail, c.status, c.code, c.words)
		}
		if internal := e.Code == contract.CodeInternal; internal != (logged.Len() > 0) || internal && !strings.Contains(logged.String(), e.Reference) {
			t.Errorf("%s: logged %q for the reference %q", name, &logged, e.Reference)
		}
		if strings.Contains(e.Detail, "secret") {
			t.Errorf("%s: the cause was sent: %s", name, e.Detail)
		}
	}
}

func TestNoService(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	for _, r := range []*http.Response{s.get("/v1/fibonacci/term?n=1"), s.post("/v1/crawler/links", "{}")} {
		wantProblem(t, r, contract.CodeUnavailable, "", "nobody answers")
		if got := r.Header.Get("Retry-After"); got != "1" {
			t.Errorf("Retry-After is %q", got)
		}
	}
}

func TestNoBroker(t *testing.T) {
	t.Parallel()
	var requester *bus.Requester
	s := start(t, func(c *rest.Config) { requester = c.Requester })
	requester.Close()
	wantProblem(t, s.post("/v1/fibonacci/term", "{}"), contract.CodeUnavailable, "", "broker cannot be reached")
}

// small is an operation whose requests are small.
var small = contract.Define[contract.TermRequest, contract.TermResult](contract.Spec{Service: "small", Operation: "run", MaxRequest: 16, Pure: true})

func TestRequestTooLarge(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *rest.Config) { c.Endpoints = []contract.Descriptor{small.Descriptor()} })
	got := s.capture(small.Descriptor())
	fits := `{"n":"12345678"}`
	if r := s.post("/v1/small/run", fits); r.StatusCode != http.StatusOK || string((<-got).Data) != fits {
		t.Errorf("a request of the largest size has status %d", r.StatusCode)
	}
	if r := s.do(chunked(t, fits)); r.StatusCode != http.StatusOK || string((<-got).Data) != fits {
		t.Errorf("a request of the largest size in chunks has status %d", r.StatusCode)
	}
	if r := s.get("/v1/small/run?n=12345678"); r.StatusCode != http.StatusOK {
		t.Errorf("a query of the largest size has status %d", r.StatusCode)
	}
	for name, r := range map[string]*http.Response{
		"declared": s.post("/v1/small/run", fits+" "),
		"chunked":  s.do(chunked(t, fits+" ")),
		"endless":  s.do(chunked(t, fits+strings.Repeat(" ", 1<<20))),
		"query":    s.get("/v1/small/run?n=123456789"),
	} {
		t.Run(name, func(t *testing.T) {
			wantProblem(t, r, contract.CodeRequestTooLarge, "", "at most 16 bytes")
			if r.Header.Get("Connection") != "close" {
				t.Error("the connection is kept, with the rest of the body in it")
			}
		})
	}
}

// chunked returns a POST whose length is not declared.
func chunked(t *testing.T, body string) *http.Request {
	t.Helper()
	return request(t, http.MethodPost, "/v1/small/run", io.MultiReader(strings.NewReader(body)), "Content-Type", contract.MediaJSON)
}

func TestContentType(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.capture(term)
	for _, good := range []string{"application/json", "application/json; charset=utf-8", `Application/JSON;charset="UTF-8"`, "application/json; v=1"} {
		r := s.do(request(t, http.MethodPost, "/v1/fibonacci/term", strings.NewReader("{}"), "Content-Type", good))
		if r.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", good, r.StatusCode)
		}
	}
	// The first three are those that a page may send to another site unasked.
	for _, bad := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "application/json; charset=latin1", "application/json; charset=", "application/jsonl", "json", "application/problem+json", "*/*", "application/json, text/plain"} {
		r := s.do(request(t, http.MethodPost, "/v1/fibonacci/term", strings.NewReader("{}"), "Content-Type", bad))
		wantProblem(t, r, contract.CodeUnsupportedMediaType, "Content-Type", "must be application/json")
	}
	for _, headers := range [][]string{nil, {"Content-Type", "application/json", "Content-Type", "text/plain"}} {
		r := s.do(request(t, http.MethodPost, "/v1/fibonacci/term", strings.NewReader("{}"), headers...))
		wantProblem(t, r, contract.CodeUnsupportedMediaType, "Content-Type", "must be application/json")
	}
	wantProblem(t, s.post("/v1/fibonacci/term", "{}", "Content-Encoding", "gzip"), contract.CodeUnsupportedMediaType, "Content-Encoding", "not be compressed")
	if r := s.post("/v1/fibonacci/term", "{}", "Content-Encoding", "identity"); r.StatusCode != http.StatusOK {
		t.Errorf("identity: status %d", r.StatusCode)
	}
}

// failing is a request body that ends with an error.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// deadlines is a response writer that takes read deadlines, as those of a server do.
type deadlines struct {
	*httptest.ResponseRecorder
	set []time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error {
	d.set = append(d.set, t)
	return nil
}

func TestBodyFails(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	cases := map[string]struct {
		err   error
		words string
	}{
		"cut off": {io.ErrUnexpectedEOF, "ended before its end"},
		"other":   {errors.New("reset"), "ended before its end"},
		"slow":    {os.ErrDeadlineExceeded, "did not arrive within 30s"},
	}
	for name, c := range cases {
		w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		s.gateway.ServeHTTP(w, request(t, http.MethodPost, "/v1/fibonacci/term", failing{c.err}, "Content-Type", contract.MediaJSON))
		r := w.Result()
		wantProblem(t, r, contract.CodeMalformedRequest, "", c.words)
		if r.Header.Get("Connection") != "close" {
			t.Errorf("%s: the connection is kept", name)
		}
		if len(w.set) != 2 || w.set[0].IsZero() || !w.set[1].IsZero() {
			t.Errorf("%s: read deadlines are %v, want one and its end", name, w.set)
		}
	}
}

// TestConcurrentSafe mixes requests of many callers: pooled buffers must not mix them.
func TestConcurrentSafe(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.respond(term, func(m *nats.Msg) *nats.Msg { return &nats.Msg{Data: m.Data} })
	done := make(chan error)
	const callers, each = 16, 50
	for i := range callers {
		go func() {
			done <- func() error {
				for j := range each {
					body := strings.Repeat(strconv.Itoa(i*each+j)+" ", 1+j*10)
					w := httptest.NewRecorder()
					s.gateway.ServeHTTP(w, request(t, http.MethodPost, "/v1/fibonacci/term", strings.NewReader(body), "Content-Type", contract.MediaJSON))
					if w.Body.String() != body {
						return errors.New("sent " + brief(body) + " and got " + brief(w.Body.String()))
					}
				}
				return nil
			}()
		}()
	}
	for range callers {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
