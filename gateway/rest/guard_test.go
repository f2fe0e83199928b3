package rest_test

import (
	"net/http"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/gateway/rest"
)

func TestHost(t *testing.T) {
	t.Parallel()
	loopback := func(c *rest.Config) { c.LoopbackOnly = true }
	named := func(c *rest.Config) {
		c.LoopbackOnly, c.AllowedHosts = false, []string{"Heddle.example", "2001:db8::1"}
	}
	both := func(c *rest.Config) { c.LoopbackOnly, c.AllowedHosts = true, []string{"heddle.example"} }
	open := func(c *rest.Config) { c.LoopbackOnly = false }
	cases := []struct {
		name    string
		config  func(*rest.Config)
		good    []string
		refused []string
	}{
		{
			"loopback", loopback,
			[]string{"localhost", "LocalHost:80", "127.0.0.1", "127.0.0.1:8080", "127.255.3.4:1", "[::1]", "[::1]:8080", "[::ffff:127.0.0.1]:1", "localhost:"},
			[]string{
				"", ":", ":8080", "example.com", "localhost.example.com", "localhost.", "notlocalhost", "127.0.0.1.example.com", "127.1", "2130706433", "0x7f.0.0.1",
				"128.0.0.1", "0.0.0.0", "[::]", "10.0.0.1", "[::1", "::1", "::1]:80", "[::1]x", "[::1]:x", "localhost:http", "localhost:80:80", "[localhost]", "[127.0.0.1]", "127.0.0.1@example.com",
			},
		},
		{
			"named", named,
			[]string{"heddle.example", "HEDDLE.EXAMPLE:443", "[2001:db8::1]:80"},
			[]string{"localhost", "127.0.0.1", "", "x.heddle.example", "heddle.example.com", "heddle.example:x"},
		},
		{"both", both, []string{"heddle.example", "127.0.0.1:8080"}, []string{"example.com", ""}},
		{"open", open, []string{"localhost", "anything.example", "", "10.0.0.1", "]["}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, c.config)
			s.capture(term)
			for _, host := range c.good {
				if r := s.get("/v1/fibonacci/term?n=1", "Host", host); r.StatusCode != http.StatusOK {
					t.Errorf("Host %q: status %d", host, r.StatusCode)
				}
			}
			for _, host := range c.refused {
				for _, target := range []string{"/v1/fibonacci/term?n=1", "/docs/", "/nothing"} {
					wantProblem(t, s.get(target, "Host", host), contract.CodeForbidden, "Host", "does not name this gateway")
				}
			}
		})
	}
}

// TestPagesOfOtherSites sends what browsers send on behalf of pages.
func TestPagesOfOtherSites(t *testing.T) {
	t.Parallel()
	const own, operation, docs = "http://127.0.0.1:8080", "/v1/fibonacci/term?n=1", "/docs/"
	click := []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}
	cases := map[string]struct {
		method, target string
		headers        []string
		field          string // at fault; empty if the request is answered
	}{
		"program":                  {"GET", operation, nil, ""},
		"address bar":              {"GET", operation, []string{"Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, ""},
		"own page":                 {"GET", operation, []string{"Sec-Fetch-Site", "same-origin"}, ""},
		"own page posts":           {"POST", operation, []string{"Origin", own, "Sec-Fetch-Site", "same-origin"}, ""},
		"own page behind TLS":      {"POST", operation, []string{"Origin", "https://127.0.0.1:8080"}, ""},
		"other page posts":         {"POST", operation, []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, "Origin"},
		"other port":               {"POST", operation, []string{"Origin", "http://127.0.0.1:3000", "Sec-Fetch-Site", "same-site"}, "Origin"},
		"other name of this host":  {"POST", operation, []string{"Origin", "http://localhost:8080"}, "Origin"},
		"sandboxed page":           {"POST", operation, []string{"Origin", "null"}, "Origin"},
		"file":                     {"GET", operation, []string{"Origin", "file://127.0.0.1:8080"}, "Origin"},
		"empty origin":             {"GET", operation, []string{"Origin", ""}, "Origin"},
		"two origins":              {"GET", operation, []string{"Origin", own, "Origin", own}, "Origin"},
		"image of another page":    {"GET", operation, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, "Sec-Fetch-Site"},
		"page of the same site":    {"GET", operation, []string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "no-cors"}, "Sec-Fetch-Site"},
		"link to an operation":     {"GET", operation, click, "Sec-Fetch-Site"},
		"two sites":                {"GET", operation, []string{"Sec-Fetch-Site", "none", "Sec-Fetch-Site", "cross-site"}, "Sec-Fetch-Site"},
		"link to the docs":         {"GET", docs, click, ""},
		"link to the start":        {"GET", "/", click, ""},
		"link to a part of docs":   {"GET", "/docs/docs.js", click, "Sec-Fetch-Site"},
		"link to the document":     {"GET", "/openapi.json", click, "Sec-Fetch-Site"},
		"docs in a frame":          {"GET", docs, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, "Sec-Fetch-Site"},
		"docs fetched by a script": {"GET", docs, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"}, "Sec-Fetch-Site"},
		"form posted to the docs":  {"POST", docs, append([]string{"Origin", "https://evil.example"}, click...), "Origin"},
		"preflight":                {"OPTIONS", operation, []string{"Origin", "https://evil.example", "Access-Control-Request-Method", "POST"}, "Origin"},
		"services":                 {"GET", "/v1/services", []string{"Sec-Fetch-Site", "cross-site"}, "Sec-Fetch-Site"},
		"nothing there":            {"GET", "/nothing", []string{"Sec-Fetch-Site", "cross-site"}, "Sec-Fetch-Site"},
	}
	s := start(t, nil)
	reached := make(chan struct{}, len(cases))
	s.respond(term, func(*nats.Msg) *nats.Msg {
		reached <- struct{}{}
		return &nats.Msg{Data: []byte("{}")}
	})
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			headers := append([]string{"Content-Type", contract.MediaJSON}, c.headers...)
			r := s.do(request(t, c.method, c.target, nil, headers...))
			if c.field == "" {
				if r.StatusCode >= http.StatusBadRequest {
					t.Errorf("status %d: %s", r.StatusCode, text(t, r))
				}
			} else {
				wantProblem(t, r, contract.CodeForbidden, c.field, "other site")
			}
			if allow := r.Header.Get("Access-Control-Allow-Origin"); allow != "" {
				t.Errorf("Access-Control-Allow-Origin is %q", allow)
			}
			if got, want := len(reached) > 0, c.field == "" && c.target == operation; got != want {
				t.Errorf("reached the service: %t, want %t", got, want)
			}
			for len(reached) > 0 {
				<-reached
			}
		})
	}
}
