package rest_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/bus"
	"github.com/seed-649d3d38/heddle/services/crawler/crawl"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
	"github.com/seed-649d3d38/heddle/services/sqrt/root"
)

// TestBadInput sends everything a caller can get wrong, over REST and over NATS: both
// callers get the same problem, with a code, the field and a sentence that says what to
// change.
func TestBadInput(t *testing.T) {
	t.Parallel()
	const malformed, invalid, forbidden = contract.CodeMalformedRequest, contract.CodeInvalidArgument, contract.CodeForbidden
	nines := func(n int) string { return strings.Repeat("9", n) }
	cases := map[string]struct {
		operation contract.Descriptor
		body      string
		code      contract.Code
		field     string
		words     string
	}{
		"no JSON":                 {term, `n=5`, malformed, "", "valid JSON"},
		"nothing":                 {term, ``, malformed, "", "empty"},
		"half an object":          {term, `{"n":"5"`, malformed, "", "valid JSON"},
		"two objects":             {term, `{"n":"5"} {}`, malformed, "", "valid JSON"},
		"no object":               {term, `["5"]`, malformed, "", "JSON object"},
		"invalid UTF-8":           {term, "{\"n\":\"\xff\"}", malformed, "", "valid JSON"},
		"NaN":                     {contract.SqrtFloats.Descriptor(), `{"values":[NaN]}`, malformed, "", "valid JSON"},
		"Infinity":                {contract.SqrtFloats.Descriptor(), `{"values":[1e999]}`, invalid, "values/0", "double"},
		"wrong type":              {term, `{"n":true}`, invalid, "n", "must be a string of digits"},
		"wrong type of a list":    {contract.SqrtFloats.Descriptor(), `{"values":"4"}`, invalid, "values", "array"},
		"wrong type in a list":    {contract.SqrtFloats.Descriptor(), `{"values":[4,"9"]}`, invalid, "values/1", "JSON number"},
		"null member":             {contract.SqrtRoot.Descriptor(), `{"x":"2","digits":null}`, invalid, "digits", ""},
		"unknown field":           {term, `{"n":"5","m":1}`, invalid, "m", "the members are n, modulus"},
		"field of another case":   {term, `{"N":"5"}`, invalid, "N", `did you mean "n"?`},
		"duplicate field":         {term, `{"n":"5","n":"6"}`, malformed, "n", "more than once"},
		"missing field":           {term, `{}`, invalid, "n", "missing"},
		"number above 2^53-1":     {term, `{"n":9007199254740992}`, invalid, "n", "sent as a string"},
		"fraction":                {term, `{"n":1.5}`, invalid, "n", "whole number"},
		"huge n":                  {term, `{"n":"1000000000000"}`, invalid, "n", "send a modulus"},
		"n of too many digits":    {term, `{"n":"` + nines(10_001) + `","modulus":7}`, invalid, "n", "at most 10000 digits"},
		"modulus 0":               {term, `{"n":"5","modulus":0}`, invalid, "modulus", "at least 1"},
		"digits beyond the limit": {contract.SqrtRoot.Descriptor(), `{"x":"2","digits":1000000000}`, invalid, "digits", "at most"},
		"digits below 0":          {contract.SqrtRoot.Descriptor(), `{"x":"2","digits":-1}`, invalid, "digits", "0 or more"},
		"digits beyond 64 bits":   {contract.SqrtRoot.Descriptor(), `{"x":"2","digits":99999999999999999999}`, invalid, "digits", "64 bits"},
		"empty x":                 {contract.SqrtRoot.Descriptor(), `{"x":""}`, invalid, "x", "must be"},
		"1/0":                     {contract.SqrtRoot.Descriptor(), `{"x":"1/0"}`, invalid, "x", "denominator other than 0"},
		"-4 under a root":         {contract.SqrtRoot.Descriptor(), `{"x":"-4"}`, invalid, "x", "must not be negative"},
		"-4 under an integer":     {contract.SqrtInteger.Descriptor(), `{"x":-4}`, invalid, "x", "must not be negative"},
		"unknown rounding":        {contract.SqrtRoot.Descriptor(), `{"x":"2","rounding":"sideways"}`, invalid, "rounding", "half_even"},
		"no values":               {contract.SqrtFloats.Descriptor(), `{"values":[4` + strings.Repeat(",4", contract.MaxFloats) + `]}`, invalid, "values", "at most 100000"},
		"no URL":                  {contract.CrawlerLinks.Descriptor(), `{"url":"example"}`, invalid, "url", ""},
		"URL of a file":           {contract.CrawlerLinks.Descriptor(), `{"url":"file:///etc/passwd"}`, invalid, "url", "http"},
		"URL of mail":             {contract.CrawlerLinks.Descriptor(), `{"url":"mailto:a@example.com"}`, invalid, "url", "http"},
		"URL with a user":         {contract.CrawlerLinks.Descriptor(), `{"url":"http://me:secret@example.com/"}`, invalid, "url", ""},
		"URL too long":            {contract.CrawlerLinks.Descriptor(), `{"url":"http://example.com/` + strings.Repeat("a", contract.MaxURLLength) + `"}`, invalid, "url", "at most 8192"},
		"loopback":                {contract.CrawlerLinks.Descriptor(), `{"url":"http://127.0.0.1/"}`, forbidden, "url", "--crawl-allow"},
		"loopback in short":       {contract.CrawlerLinks.Descriptor(), `{"url":"http://127.1:80/"}`, forbidden, "url", ""},
		"loopback as a number":    {contract.CrawlerLinks.Descriptor(), `{"url":"http://2130706433/"}`, forbidden, "url", ""},
		"loopback in octal":       {contract.CrawlerLinks.Descriptor(), `{"url":"http://0177.0.0.1/"}`, forbidden, "url", ""},
		"loopback in hexadecimal": {contract.CrawlerLinks.Descriptor(), `{"url":"http://0x7f000001/"}`, forbidden, "url", ""},
		"loopback of IPv6":        {contract.CrawlerLinks.Descriptor(), `{"url":"http://[::1]/"}`, forbidden, "url", ""},
		"loopback within IPv6":    {contract.CrawlerLinks.Descriptor(), `{"url":"http://[::ffff:127.0.0.1]/"}`, forbidden, "url", ""},
		"private address":         {contract.CrawlerLinks.Descriptor(), `{"url":"http://10.0.0.1/"}`, forbidden, "url", ""},
		"cloud metadata":          {contract.CrawlerLinks.Descriptor(), `{"url":"http://169.254.169.254/latest/"}`, forbidden, "url", ""},
		"body over the limit":     {term, `{"n":"5"` + strings.Repeat(" ", contract.DefaultMaxRequest) + `}`, contract.CodeRequestTooLarge, "", "at most"},
	}
	s := start(t, nil)
	crawler, err := crawl.New(crawl.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(crawler.Close)
	s.host(host.Config{}, fib.Service(), root.Service(), crawler.Service())
	publisher := s.requester()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := s.post(c.operation.Route(), c.body)
			viaREST := text(t, r)
			r.Body = readCloser(viaREST)
			wantProblem(t, r, c.code, c.field, c.words)
			reply, err := publisher.Do(t.Context(), &nats.Msg{Subject: c.operation.Subject(), Data: []byte(c.body)}, 10*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			if got := reply.Header.Get(contract.HeaderErrorCode); got != strconv.Itoa(r.StatusCode) {
				t.Errorf("NATS has the number %s, REST %d", got, r.StatusCode)
			}
			// Only the size is judged by both, since neither waits for the other.
			if viaNATS := string(reply.Data); viaNATS != viaREST && c.code != contract.CodeRequestTooLarge {
				t.Errorf("NATS: %s\nREST: %s", viaNATS, viaREST)
			}
		})
	}
}

// requester returns a direct publisher's way to the services.
func (s *suite) requester() *bus.Requester {
	s.Helper()
	r, err := bus.NewRequester(s.services)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(r.Close)
	return r
}

// TestBadQuery sends what only a query can get wrong, and what both can: the service
// then says the same of the query as of the body.
func TestBadQuery(t *testing.T) {
	t.Parallel()
	const malformed, invalid = contract.CodeMalformedRequest, contract.CodeInvalidArgument
	cases := map[string]struct {
		target string
		code   contract.Code
		field  string
		words  string
	}{
		"repeated":        {"/v1/fibonacci/term?n=1&n=2", invalid, "n", "more than once"},
		"unknown":         {"/v1/fibonacci/term?n=1&m=2", invalid, "m", "the members are n, modulus"},
		"of another case": {"/v1/fibonacci/term?N=1", invalid, "N", `did you mean "n"?`},
		"missing":         {"/v1/fibonacci/term", invalid, "n", "missing"},
		"empty":           {"/v1/fibonacci/term?n=", invalid, "n", "must be"},
		"plus is a space": {"/v1/fibonacci/term?n=+1", invalid, "n", "must be"},
		"bad escape":      {"/v1/fibonacci/term?n=%zz", malformed, "", "query cannot be read"},
		"semicolon":       {"/v1/fibonacci/term?n=1;modulus=7", malformed, "", "query cannot be read"},
		"no UTF-8":        {"/v1/fibonacci/term?n=%ff", invalid, "n", "UTF-8"},
		"JSON brought in": {`/v1/sqrt/root?x=2&digits=5,"rounding":"down"`, invalid, "digits", "whole number"},
		"digits as text":  {"/v1/sqrt/root?x=2&digits=many", invalid, "digits", "whole number"},
		"digits with +":   {"/v1/sqrt/root?x=2&digits=%2B5", invalid, "digits", "whole number"},
		"item as text":    {"/v1/sqrt/floats?values=4&values=NaN", invalid, "values/1", "JSON number"},
		"negative":        {"/v1/sqrt/integer?x=-4", invalid, "x", "must not be negative"},
		"not acceptable":  {"/v1/sqrt/floats?values=4", contract.CodeNotAcceptable, "", "application/json"},
	}
	s := start(t, nil)
	s.host(host.Config{}, fib.Service(), root.Service())
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := request(t, http.MethodGet, "/", nil)
			var query string
			r.URL.Path, query, _ = strings.Cut(c.target, "?")
			r.URL.RawQuery = query
			if c.code == contract.CodeNotAcceptable {
				r.Header.Set("Accept", "text/html")
			}
			wantProblem(t, s.do(r), c.code, c.field, c.words)
		})
	}
}

// TestWrongAccept holds that a form nobody offers is refused alike on both ways.
func TestWrongAccept(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.host(host.Config{}, fib.Service(), root.Service())
	publisher := s.requester()
	for _, d := range []contract.Descriptor{term, contract.SqrtFloats.Descriptor()} {
		r := s.post(d.Route(), "{}", "Accept", "image/png")
		viaREST := text(t, r)
		r.Body = readCloser(viaREST)
		wantProblem(t, r, contract.CodeNotAcceptable, "", contract.MediaJSON)
		reply, err := publisher.Do(t.Context(), &nats.Msg{Subject: d.Subject(), Data: []byte("{}"), Header: nats.Header{contract.HeaderAccept: {"image/png"}}}, 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if string(reply.Data) != viaREST {
			t.Errorf("NATS: %s\nREST: %s", reply.Data, viaREST)
		}
	}
}
