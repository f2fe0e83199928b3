package rest_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/gateway/rest"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/internal/bus"
	"github.com/seed-649d3d38/heddle/solver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// suite is a gateway and the broker behind it.
type suite struct {
	*testing.T
	gateway http.Handler
	// services is a connection of its own for the services of the test.
	services *nats.Conn
}

// start starts a broker and a gateway; change may be nil.
func start(t *testing.T, change func(*rest.Config)) *suite {
	t.Helper()
	b := brokertest.StartIn(t, "")
	nc := brokertest.Connect(t, b)
	requester, err := bus.NewRequester(nc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(requester.Close)
	c := rest.Config{
		Endpoints: contract.All(), Requester: requester, Conn: nc, Version: "1.2.3",
		Log: slog.New(slog.DiscardHandler), LoopbackOnly: true,
	}
	if change != nil {
		change(&c)
	}
	gateway, err := rest.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return &suite{T: t, gateway: gateway, services: brokertest.Connect(t, b)}
}

// host hosts services until the test ends.
func (s *suite) host(c host.Config, services ...solver.Service) {
	s.Helper()
	h, err := host.Start(s.Context(), s.services, c, services...)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		if err := h.Drain(context.Background()); err != nil {
			s.Errorf("drain: %v", err)
		}
	})
}

// respond answers an operation's requests by hand.
func (s *suite) respond(d contract.Descriptor, answer func(*nats.Msg) *nats.Msg) {
	s.Helper()
	_, err := s.services.QueueSubscribe(d.Subject(), contract.QueueGroup(d.Service), func(m *nats.Msg) {
		reply := answer(m)
		if reply == nil {
			return
		}
		if err := m.RespondMsg(reply); err != nil {
			s.Errorf("respond: %v", err)
		}
	})
	if err != nil {
		s.Fatal(err)
	}
	if err := s.services.Flush(); err != nil {
		s.Fatal(err)
	}
}

// problem returns the reply that a service gives to a request at fault.
func problem(t testing.TB, e *contract.Error) *nats.Msg {
	t.Helper()
	body, err := e.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return &nats.Msg{Data: body, Header: nats.Header{
		contract.HeaderError:       {e.Detail},
		contract.HeaderErrorCode:   {strconv.Itoa(e.Code.Status())},
		contract.HeaderContentType: {contract.MediaProblem},
	}}
}

// request returns a request as a program on the same machine sends it. Headers are
// pairs of name and value.
func request(t testing.TB, method, target string, body io.Reader, headers ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "http://127.0.0.1:8080"+target, body)
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
			continue
		}
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

// do sends a request to the gateway.
func (s *suite) do(r *http.Request) *http.Response {
	s.Helper()
	recorder := httptest.NewRecorder()
	s.gateway.ServeHTTP(recorder, r)
	return recorder.Result()
}

// aborted sends a request that must end the connection instead of being answered.
func (s *suite) aborted(w http.ResponseWriter, r *http.Request) {
	s.Helper()
	defer func() {
		if p := recover(); p != http.ErrAbortHandler { //nolint:errorlint // a panic value, as net/http compares it
			s.Errorf("recovered %v, want http.ErrAbortHandler, which ends the connection", p)
		}
	}()
	s.gateway.ServeHTTP(w, r)
}

func (s *suite) get(target string, headers ...string) *http.Response {
	s.Helper()
	return s.do(request(s, http.MethodGet, target, nil, headers...))
}

// post sends a JSON body.
func (s *suite) post(target, body string, headers ...string) *http.Response {
	s.Helper()
	headers = append([]string{"Content-Type", contract.MediaJSON}, headers...)
	return s.do(request(s, http.MethodPost, target, strings.NewReader(body), headers...))
}

// text reads the body of a response.
func text(t testing.TB, r *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.Header.Get("Content-Length"), strconv.Itoa(len(body)); got != want && r.Request == nil && len(body) > 0 {
		t.Errorf("Content-Length is %q, the body has %s bytes", got, want)
	}
	return string(body)
}

// problemOf checks that a response is a problem document for its status, which nobody
// may keep, and returns it.
func problemOf(t testing.TB, r *http.Response) *contract.Error {
	t.Helper()
	body := text(t, r)
	if got := r.Header.Get("Content-Type"); got != contract.MediaProblem {
		t.Fatalf("status %d has content type %q: %s", r.StatusCode, got, body)
	}
	if got := r.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("problem has Cache-Control %q", got)
	}
	var e contract.Error
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		t.Fatalf("problem %s: %v", body, err)
	}
	var status struct{ Status int }
	if err := json.Unmarshal([]byte(body), &status); err != nil || status.Status != r.StatusCode {
		t.Errorf("status %d has the problem %s", r.StatusCode, body)
	}
	return &e
}

// wantProblem checks the status, the code and the field of a problem, and that its
// detail holds the words.
func wantProblem(t testing.TB, r *http.Response, code contract.Code, field, words string) {
	t.Helper()
	e := problemOf(t, r)
	if e.Code != code || r.StatusCode != code.Status() || e.Field != field || !strings.Contains(e.Detail, words) {
		t.Errorf("problem is %d %s, field %q: %q; want %d %s, field %q, words %q",
			r.StatusCode, e.Code, e.Field, e.Detail, code.Status(), code, field, words)
	}
}

// respondWithHandles answers the requests for a term with handles, one after the other.
func (s *suite) respondWithHandles(subjects ...string) {
	s.Helper()
	s.respond(contract.FibonacciTerm.Descriptor(), func(*nats.Msg) *nats.Msg {
		body, err := contract.Handle{Subject: subjects[0], Size: 1 << 20, ContentType: contract.MediaJSON}.AppendReply(nil)
		if err != nil {
			s.Error(err)
		}
		subjects = subjects[1:]
		return &nats.Msg{Data: body, Header: nats.Header{contract.HeaderContentType: {contract.MediaHandle}}}
	})
}

// slogDiscard returns a log that nobody reads.
func slogDiscard() *slog.Logger { return slog.New(slog.DiscardHandler) }
