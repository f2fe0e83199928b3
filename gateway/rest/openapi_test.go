package rest_test

import (
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
	"github.com/seed-649d3d38/heddle/services/sqrt/root"
	"github.com/seed-649d3d38/heddle/solver"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestOpenAPIGolden pins the document: clients are generated from it.
func TestOpenAPIGolden(t *testing.T) {
	t.Parallel()
	r := start(t, nil).get("/openapi.json")
	got := text(t, r)
	if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != contract.MediaJSON {
		t.Fatalf("status %d, content type %q", r.StatusCode, r.Header.Get("Content-Type"))
	}
	path := filepath.Join("testdata", "openapi.json")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Error("the OpenAPI document has changed; run the test with -update and read the difference")
	}
}

// description is the gateway's document as an independent library reads it.
type description struct {
	validator validator.Validator
	model     *v3.Document
	raw       []byte
}

// describe fetches the document from the gateway and checks it against the schema of
// OpenAPI 3.1.
func describe(s *suite) description {
	s.Helper()
	raw := []byte(text(s, s.get("/openapi.json")))
	document, err := libopenapi.NewDocument(raw)
	if err != nil {
		s.Fatal(err)
	}
	model, err := document.BuildV3Model()
	if err != nil {
		s.Fatal(err)
	}
	v, errs := validator.NewValidator(document)
	for _, err := range errs {
		s.Error(err)
	}
	s.Cleanup(v.Release)
	if ok, errs := v.ValidateDocument(); !ok {
		for _, e := range errs {
			s.Errorf("%s: %s: %+v", e.Message, e.Reason, e.SchemaValidationErrors)
		}
	}
	return description{validator: v, model: &model.Model, raw: raw}
}

// check holds a response against the document: its status, media type and body.
func (d description) check(t *testing.T, r *http.Request, response *http.Response) {
	t.Helper()
	if response.Header.Get("Content-Type") == contract.MediaNDJSON {
		// The document says what a line is, and the validator knows nothing of lines.
		for line := range strings.Lines(text(t, response)) {
			one := *response
			one.Body = readCloser(line)
			d.checkWhole(t, r, &one)
		}
		return
	}
	d.checkWhole(t, r, response)
}

// checkWhole checks a response whose body is described as a whole.
func (d description) checkWhole(t *testing.T, r *http.Request, response *http.Response) {
	t.Helper()
	if ok, errs := d.validator.ValidateHttpResponse(r, response); !ok {
		for _, e := range errs {
			t.Errorf("%s %s: status %d: %s: %s: %+v", r.Method, r.URL, response.StatusCode, e.Message, e.Reason, e.SchemaValidationErrors)
		}
	}
}

// TestOpenAPICoversTheContract holds the document against the contract: every
// operation, every method, every example, every form, and nothing else.
func TestOpenAPICoversTheContract(t *testing.T) {
	t.Parallel()
	d := describe(start(t, nil))
	paths := slices.Collect(d.model.Paths.PathItems.KeysFromOldest())
	if want := 2*len(contract.All()) + 1 + 6 + 2 + 4; len(paths) != want {
		t.Errorf("paths are %v, want %d", paths, want)
	}
	for _, e := range contract.All() {
		item := d.model.Paths.PathItems.GetOrZero(e.Route())
		if item == nil || item.Post == nil {
			t.Fatalf("%s has no POST", e.Route())
		}
		if (item.Get != nil) != e.Pure {
			t.Errorf("%s: GET described: %t, pure: %t", e.Route(), item.Get != nil, e.Pure)
		}
		if batch := d.model.Paths.PathItems.GetOrZero(e.BatchRoute()); batch == nil || batch.Post == nil {
			t.Errorf("%s has no POST", e.BatchRoute())
		}
		examples := item.Post.RequestBody.Content.GetOrZero(contract.MediaJSON).Examples
		if got := examples.Len(); got != len(e.Examples) {
			t.Errorf("%s has %d examples, want %d", e.Route(), got, len(e.Examples))
		}
		plain := item.Post.Responses.FindResponseByCode(http.StatusOK).Content.GetOrZero(contract.MediaText)
		if (plain != nil) != e.HasPlain() {
			t.Errorf("%s: text/plain described: %t, plain: %t", e.Route(), plain != nil, e.HasPlain())
		}
		lines := item.Post.Responses.FindResponseByCode(http.StatusOK).Content.GetOrZero(contract.MediaNDJSON)
		if (lines != nil) != e.HasLines() {
			t.Errorf("%s: NDJSON described: %t, lines: %t", e.Route(), lines != nil, e.HasLines())
		}
	}
}

// real hosts the services themselves; only the crawler has a stand-in, since there is
// no web here. It knows two pages, and the rest are faults of others.
func (s *suite) real() {
	s.Helper()
	links := func(_ context.Context, r contract.LinksRequest) (contract.LinksResult, error) {
		switch {
		case r.URL == "https://example.com/":
			return contract.LinksResult{URL: r.URL, FinalURL: r.URL, Status: 200, ContentType: "text/html", Links: []contract.Link{{URL: "https://example.org/", Text: "more"}}}, nil
		case strings.HasPrefix(r.URL, "http"):
			return contract.LinksResult{URL: r.URL, FinalURL: r.URL, Status: 404}, nil
		default:
			return contract.LinksResult{}, contract.Invalid("url", "must be an http or https address")
		}
	}
	crawler := solver.Service{
		Name: "crawler", Version: "1.0.0", Waits: true,
		Operations: []solver.Operation{solver.Bind(contract.CrawlerLinks, links)},
	}
	s.host(host.Config{}, fib.Service(), root.Service(), crawler)
}

// TestOpenAPIExamples sends every example of the document, by POST and by GET, to the
// services, and has requests, responses and results checked.
func TestOpenAPIExamples(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.real()
	d := describe(s)
	for _, e := range contract.All() {
		for _, x := range e.Examples {
			post := func() *http.Request {
				return request(t, http.MethodPost, e.Route(), strings.NewReader(marshal(t, x.Request)), "Content-Type", contract.MediaJSON, "Accept", contract.MediaJSON)
			}
			if ok, errs := d.validator.ValidateHttpRequest(post()); !ok {
				t.Errorf("%s: %s: %v", e.Name(), x.Summary, errs)
			}
			sameBody(t, d, post(), s.do(post()), marshal(t, x.Result))
			if !e.Pure {
				continue
			}
			get := request(t, http.MethodGet, e.Route()+"?"+queryOf(t, x.Request), nil)
			if ok, errs := d.validator.ValidateHttpRequest(get); !ok {
				t.Errorf("%s: %s: %v", e.Name(), x.Summary, errs)
			}
			get.Header.Set("Accept", contract.MediaJSON)
			sameBody(t, d, get, s.do(get), marshal(t, x.Result))
			if lines, ok := x.Result.(contract.Lines); ok {
				get.Header.Del("Accept")
				sameBody(t, d, get, s.do(get), string(lines.AppendLines(nil)))
			}
			if e.HasPlain() {
				get.Header.Set("Accept", contract.MediaText)
				r := s.do(get)
				d.check(t, get, r)
				if got, want := text(t, r), string(x.Result.(contract.Plain).AppendPlain(nil)); got != want {
					t.Errorf("%s: text is %q, want %q", e.Name(), got, want)
				}
			}
		}
	}
}

// TestOpenAPIServices holds the live view against its description.
func TestOpenAPIServices(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.real()
	d := describe(s)
	r := request(t, http.MethodGet, "/v1/services", nil)
	d.check(t, r, s.do(r))
}

// TestOpenAPIJobs holds the documents of jobs against their description.
func TestOpenAPIJobs(t *testing.T) {
	t.Parallel()
	s := startJobs(t)
	d := describe(s.suite)
	s.hire()
	check := func(r *http.Request, status int) contract.Job {
		t.Helper()
		response := s.do(r)
		body := text(t, response)
		if response.StatusCode != status {
			t.Errorf("%s %s: %d %s", r.Method, r.URL, response.StatusCode, body)
		}
		response.Body = readCloser(body)
		d.check(t, r, response)
		var job contract.Job
		_ = json.Unmarshal([]byte(body), &job) // results are no jobs
		return job
	}
	submit := func(text string) string {
		return check(request(t, http.MethodPost, sayPath, strings.NewReader(`{"text":"`+text+`"}`), "Content-Type", contract.MediaJSON, "Prefer", "respond-async"), http.StatusAccepted).ID
	}
	done, failed, held := submit("a"), submit("fail"), submit("hold")
	s.awaitState(done, contract.JobSucceeded)
	s.awaitState(failed, contract.JobFailed)
	get := func(path string) *http.Request { return request(t, http.MethodGet, path, nil) }
	check(get("/v1/jobs/"+done), http.StatusOK)
	check(get("/v1/jobs/"+done+"/result"), http.StatusOK)
	check(get("/v1/jobs/"+failed), http.StatusOK)
	check(get("/v1/jobs/"+failed+"/result"), http.StatusUnprocessableEntity)
	check(get("/v1/jobs/"+held+"/result"), http.StatusConflict)
	check(get("/v1/jobs/echo-say-nobody"), http.StatusNotFound)
	check(get("/v1/jobs?limit=2"), http.StatusOK)
	check(get("/v1/jobs?state=none"), http.StatusUnprocessableEntity)
	for path, status := range map[string]int{
		"/v1/jobs": http.StatusOK, "/v1/jobs/" + done: http.StatusOK, "/v1/jobs/" + done + "/result": http.StatusOK, "/v1/jobs/echo-say-nobody/result": http.StatusNotFound,
	} {
		r := request(t, http.MethodHead, path, nil)
		if response := s.do(r); response.StatusCode != status {
			t.Errorf("HEAD %s: %d", path, response.StatusCode)
		}
		if item := d.model.Paths.PathItems.GetOrZero(strings.Replace(strings.Replace(path, done, "{id}", 1), "echo-say-nobody", "{id}", 1)); item.Head == nil || item.Head.Responses.FindResponseByCode(status) == nil {
			t.Errorf("HEAD %s: %d is not described", path, status)
		}
	}
	check(request(t, http.MethodPost, "/v1/jobs/"+done+"/retry", nil), http.StatusConflict)
	check(request(t, http.MethodPost, "/v1/jobs/"+failed+"/retry", nil), http.StatusAccepted)
	check(request(t, http.MethodDelete, "/v1/jobs/"+held, nil), http.StatusOK)
}

// sameBody checks a response and compares its body.
func sameBody(t *testing.T, d description, r *http.Request, response *http.Response, want string) {
	t.Helper()
	body := text(t, response)
	response.Body = http.NoBody
	if body != want {
		t.Errorf("%s %s: body is %s, want %s", r.Method, r.URL, body, want)
	}
	response.Body = readCloser(body)
	d.check(t, r, response)
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
