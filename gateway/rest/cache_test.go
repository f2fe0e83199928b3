package rest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
	"github.com/seed-649d3d38/heddle/services/sqrt/root"
)

// TestEntityTags holds what makes two results the same: operation, request and form.
func TestEntityTags(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.host(host.Config{}, fib.Service(), root.Service())
	tag := func(target string, headers ...string) string {
		t.Helper()
		r := s.get(target, headers...)
		if r.StatusCode != http.StatusOK {
			t.Fatalf("%s: status %d: %s", target, r.StatusCode, text(t, r))
		}
		for name, want := range map[string]string{"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept"} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", target, name, got, want)
			}
		}
		etag := r.Header.Get("Etag")
		if len(etag) != 24 || etag[0] != '"' || etag[23] != '"' || strings.HasPrefix(etag, "W/") {
			t.Errorf("%s: entity tag %s is not a strong one", target, etag)
		}
		return etag
	}
	same := tag("/v1/sqrt/root?x=2&digits=5")
	for _, target := range []string{"/v1/sqrt/root?digits=5&x=2", "/v1/sqrt/root?x=%32&digits=5&"} {
		if got := tag(target); got != same {
			t.Errorf("%s has %s, want %s", target, got, same)
		}
	}
	if got := tag("/v1/sqrt/root?x=2&digits=5", "Accept", "application/json, */*;q=0.1"); got != same {
		t.Errorf("the same form asked for in other words has %s, want %s", got, same)
	}
	seen := map[string]string{same: "the first"}
	for _, target := range []string{"/v1/sqrt/root?x=2&digits=6", "/v1/sqrt/root?x=2", "/v1/sqrt/root?x=3&digits=5", "/v1/sqrt/integer?x=2", "/v1/fibonacci/term?n=2"} {
		got := tag(target)
		if other, ok := seen[got]; ok {
			t.Errorf("%s and %s have the same tag", target, other)
		}
		seen[got] = target
	}
	if got := tag("/v1/sqrt/root?x=2&digits=5", "Accept", "text/plain"); seen[got] != "" {
		t.Errorf("text has the tag of JSON")
	}
}

// TestEntityTagFrozen pins one tag: when it changes, every cache in the world is cold.
func TestEntityTagFrozen(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.capture(term)
	if got, want := s.get("/v1/fibonacci/term?n=100").Header.Get("Etag"), `"YvHUmwXOFhBtPnHjUIe3UQ"`; got != want {
		t.Errorf("entity tag is %s, want %s", got, want)
	}
}

// TestNotModified asks with If-None-Match while no service runs: what is not answered
// from the tag alone is unavailable.
func TestNotModified(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	tags := make(map[string]string)
	func() {
		sub, err := s.services.Subscribe(term.Subject(), func(m *nats.Msg) {
			reply := &nats.Msg{Data: []byte("55"), Header: nats.Header{}}
			if accept := m.Header.Get("Accept"); accept != "" {
				reply.Header[contract.HeaderContentType] = []string{accept}
			}
			_ = m.RespondMsg(reply)
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.services.Flush(); err != nil {
			t.Fatal(err)
		}
		tags["JSON"] = s.get("/v1/fibonacci/term?n=10").Header.Get("Etag")
		tags["text"] = s.get("/v1/fibonacci/term?n=10", "Accept", "text/plain").Header.Get("Etag")
		if err := sub.Unsubscribe(); err != nil {
			t.Fatal(err)
		}
		if err := s.services.Flush(); err != nil {
			t.Fatal(err)
		}
	}()
	cases := map[string]struct {
		headers []string
		hit     string
	}{
		"same":              {[]string{"If-None-Match", tags["JSON"]}, "JSON"},
		"weak":              {[]string{"If-None-Match", "W/" + tags["JSON"]}, "JSON"},
		"in a list":         {[]string{"If-None-Match", `"a", W/"b",` + tags["JSON"] + `, "c"`}, "JSON"},
		"in a second line":  {[]string{"If-None-Match", `"a"`, "If-None-Match", tags["JSON"]}, "JSON"},
		"text":              {[]string{"If-None-Match", tags["text"], "Accept", "text/plain"}, "text"},
		"text preferred":    {[]string{"If-None-Match", tags["text"], "Accept", "application/json;q=0.5, text/*"}, "text"},
		"none":              {nil, ""},
		"other":             {[]string{"If-None-Match", `"a"`}, ""},
		"of another form":   {[]string{"If-None-Match", tags["text"]}, ""},
		"star":              {[]string{"If-None-Match", "*"}, ""},
		"without quotes":    {[]string{"If-None-Match", strings.Trim(tags["JSON"], `"`)}, ""},
		"half a tag":        {[]string{"If-None-Match", strings.TrimSuffix(tags["JSON"], `"`)}, ""},
		"nothing will do":   {[]string{"If-None-Match", tags["JSON"], "Accept", "image/png"}, ""},
		"JSON not accepted": {[]string{"If-None-Match", tags["JSON"], "Accept", "application/json;q=0, text/plain"}, ""},
	}
	for name, c := range cases {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			r := s.do(request(t, method, "/v1/fibonacci/term?n=10", nil, c.headers...))
			if c.hit == "" {
				if r.StatusCode != http.StatusServiceUnavailable {
					t.Errorf("%s %s: status %d, want the service to be asked", method, name, r.StatusCode)
				}
				continue
			}
			if r.StatusCode != http.StatusNotModified || text(t, r) != "" {
				t.Errorf("%s %s: status %d", method, name, r.StatusCode)
			}
			for header, want := range map[string]string{"Etag": tags[c.hit], "Vary": "Accept", "Cache-Control": "public, max-age=31536000, immutable", "Content-Type": ""} {
				if got := r.Header.Get(header); got != want {
					t.Errorf("%s %s: %s is %q, want %q", method, name, header, got, want)
				}
			}
		}
	}
	if r := s.post("/v1/fibonacci/term", `{"n":"10"}`, "If-None-Match", tags["JSON"]); r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("POST with If-None-Match has status %d", r.StatusCode)
	}
}

// accepts are Accept headers of every kind, for tests and fuzzers.
var accepts = []string{
	"", "*/*", "application/json", "text/plain", "text/*", "application/*", "text/html", "image/png, */*;q=0.1",
	"text/plain;q=0.5, application/json;q=0.4", "text/plain;q=0.5, application/json;q=0.5", "application/json;q=0, */*",
	"text/plain;q=0, */*;q=0.2", "*/*;q=0", "application/json;q=0, text/plain;q=0", "text/*;q=0.9, text/plain;q=0.1, application/json;q=0.5",
	"TEXT/PLAIN", "text/plain; charset=utf-8", "text/plain;q=2", "text/plain;q=-1", "text/plain;q=x, application/json;q=0.1", "text/plain;q=NaN",
	"text", "/", ",", ", text/plain ,", ";", "text/plain;", "text/plain;q", "text/plain; q = 0.5", `text/plain;x="a,b"`, "*", "*/json", "application/json+x",
}

// TestAcceptAgreement holds the gateway's idea of negotiation against the service's:
// the tag that a result came with must be the one that answers the same request again.
func TestAcceptAgreement(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.host(host.Config{}, fib.Service(), root.Service())
	for _, target := range []string{"/v1/fibonacci/term?n=10", "/v1/sqrt/floats?values=4"} {
		for _, accept := range accepts {
			r := s.get(target, "Accept", accept)
			if r.StatusCode == http.StatusNotAcceptable {
				wantProblem(t, r, contract.CodeNotAcceptable, "", "available as")
				continue
			}
			if r.StatusCode != http.StatusOK {
				t.Errorf("%s, Accept %q: status %d", target, accept, r.StatusCode)
				continue
			}
			again := s.get(target, "Accept", accept, "If-None-Match", r.Header.Get("Etag"))
			if again.StatusCode != http.StatusNotModified {
				t.Errorf("%s, Accept %q: the service sent %s, and its tag is not known again", target, accept, r.Header.Get("Content-Type"))
			}
		}
	}
}
