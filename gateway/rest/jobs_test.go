package rest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/gateway/rest"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/internal/bus"
	"github.com/seed-649d3d38/heddle/jobs"
	"github.com/seed-649d3d38/heddle/solver"
)

// sayRequest asks for its own text, "hold" after the test lets go, or for a failure.
type sayRequest struct {
	Text string `json:"text"`
}

func (r sayRequest) Validate() error {
	if r.Text == "" {
		return contract.Invalid("text", "must not be empty")
	}
	return nil
}

type sayResult struct {
	Text string `json:"text"`
}

func (r sayResult) AppendPlain(dst []byte) []byte { return append(dst, r.Text...) }

var say = contract.Define[sayRequest, sayResult](contract.Spec{Service: "echo", Operation: "say", Summary: "An echo", Pure: true})

const sayPath = "/v1/echo/say"

// jobSuite is a gateway with jobs, and no instance until there is one.
type jobSuite struct {
	*suite
	store *jobs.Store
	rest  *rest.Gateway
	hold  chan struct{} // lets go of one job that holds
}

func startJobs(t *testing.T) *jobSuite {
	t.Helper()
	return startJobsIn(t, t.TempDir())
}

func startJobsIn(t *testing.T, dir string) *jobSuite {
	t.Helper()
	b := brokertest.StartIn(t, dir)
	nc := brokertest.Connect(t, b)
	requester, err := bus.NewRequester(nc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(requester.Close)
	store, err := jobs.Open(nc, jobs.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	g, err := rest.New(rest.Config{
		Endpoints: []contract.Descriptor{say.Descriptor(), contract.FibonacciSequence.Descriptor(), alphabet.Descriptor()}, Jobs: store,
		Requester: requester, Conn: nc, Log: slogDiscard(), LoopbackOnly: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	services := brokertest.Connect(t, b)
	return &jobSuite{suite: &suite{T: t, gateway: g, services: services}, store: store, rest: g, hold: make(chan struct{})}
}

// hire starts an instance.
func (s *jobSuite) hire() {
	s.Helper()
	solve := func(ctx context.Context, r sayRequest) (sayResult, error) {
		switch r.Text {
		case "hold":
			select {
			case <-s.hold:
			case <-ctx.Done():
				return sayResult{}, ctx.Err()
			}
		case "fail":
			return sayResult{}, contract.Invalid("text", "must not be fail")
		}
		return sayResult(r), nil
	}
	letters := func(_ context.Context, r alphabetRequest) (alphabetResult, error) {
		return alphabetResult{string(appendLetters(nil, 0, r.Size))}, nil
	}
	s.host(host.Config{Slots: 4, Jobs: s.store},
		solver.Service{Name: "echo", Version: "1.0.0", Operations: []solver.Operation{solver.Bind(say, solve)}},
		solver.Service{Name: "alphabet", Version: "1.0.0", Operations: []solver.Operation{solver.Bind(alphabet, letters)}})
}

// submit submits a job and returns its document.
func (s *jobSuite) submit(path, body string, headers ...string) contract.Job {
	s.Helper()
	r := s.post(path, body, append(headers, "Prefer", "respond-async")...)
	job := jobOf(s, r)
	if r.StatusCode != http.StatusAccepted || r.Header.Get("Location") != "/v1/jobs/"+job.ID || r.Header.Get("Preference-Applied") != "respond-async" {
		s.Errorf("submitted: %d, %v", r.StatusCode, r.Header)
	}
	return job
}

func jobOf(t testing.TB, r *http.Response) contract.Job {
	t.Helper()
	body := text(t, r)
	var job contract.Job
	if err := json.Unmarshal([]byte(body), &job); err != nil || job.ID == "" {
		t.Fatalf("no job: %d %s", r.StatusCode, body)
	}
	return job
}

// awaitState waits until a job has a state.
func (s *jobSuite) awaitState(id string, state contract.JobState) contract.Job {
	s.Helper()
	var job contract.Job
	brokertest.Await(s, "job "+id+" "+string(state), func() bool {
		job = jobOf(s, s.get("/v1/jobs/"+id))
		return job.State == state
	})
	return job
}

// TestJobWithoutInstance holds that jobs are stored, looked at and canceled while nobody
// could work on them.
func TestJobWithoutInstance(t *testing.T) {
	t.Parallel()
	s := startJobs(t)
	job := s.submit(sayPath, `{"text":"a"}`, "Heddle-Class", "high", "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if job.State != contract.JobQueued || job.Class != contract.ClassHigh || job.TraceID != "0af7651916cd43dd8448eb211c80319c" {
		t.Errorf("submitted: %+v", job)
	}
	if got := jobOf(t, s.get("/v1/jobs/"+job.ID)); got.State != contract.JobQueued {
		t.Errorf("looked at: %+v", got)
	}
	wantProblem(t, s.get("/v1/jobs/"+job.ID+"/result"), contract.CodeConflict, "", "is queued")
	wantProblem(t, s.post("/v1/jobs/"+job.ID+"/retry", ""), contract.CodeConflict, "", "is queued")
	for range 2 {
		r := s.do(request(t, http.MethodDelete, "/v1/jobs/"+job.ID, nil))
		if got := jobOf(t, r); r.StatusCode != http.StatusOK || got.State != contract.JobCanceled {
			t.Errorf("canceled: %d %+v", r.StatusCode, got)
		}
	}
	wantProblem(t, s.get("/v1/jobs/"+job.ID+"/result"), contract.CodeConflict, "", "is canceled")
	r := s.post("/v1/jobs/"+job.ID+"/retry", "")
	if got := jobOf(t, r); r.StatusCode != http.StatusAccepted || got.State != contract.JobQueued || r.Header.Get("Location") != "/v1/jobs/"+job.ID {
		t.Errorf("retried: %d %+v", r.StatusCode, got)
	}
}

// TestJobAnswersLikeACall holds that a submitter who waits gets what a call would get.
func TestJobAnswersLikeACall(t *testing.T) {
	t.Parallel()
	s := startJobs(t)
	s.hire()
	for _, accept := range []string{contract.MediaJSON, contract.MediaText} {
		direct := s.post(sayPath, `{"text":"a"}`, "Accept", accept)
		waited := s.post(sayPath, `{"text":"a"}`, "Accept", accept, "Prefer", "wait=30, respond-async")
		if got, want := text(t, waited), text(t, direct); waited.StatusCode != http.StatusOK || got != want {
			t.Errorf("%s: %d %s, want %s", accept, waited.StatusCode, got, want)
		}
		for _, name := range []string{"Content-Type", "Content-Length", "Cache-Control"} {
			if got, want := waited.Header.Get(name), direct.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", accept, name, got, want)
			}
		}
		if got := waited.Header.Get("Content-Location"); got != waited.Header.Get("Location")+"/result" || waited.Header.Get("Preference-Applied") != "respond-async, wait=30" {
			t.Errorf("headers %v", waited.Header)
		}
	}
	wantProblem(t, s.post(sayPath, `{"text":"fail"}`, "Prefer", "respond-async, wait=30"), contract.CodeInvalidArgument, "text", "must not be fail")
	held := s.post(sayPath, `{"text":"hold"}`, "Prefer", "respond-async, wait=1")
	if job := jobOf(t, held); held.StatusCode != http.StatusAccepted || job.State != contract.JobRunning {
		t.Errorf("after the wait: %d %+v", held.StatusCode, job)
	}
	s.hold <- struct{}{}
	wantProblem(t, s.post(sayPath, `{"text":"hold"}`, "Prefer", "wait=1"), contract.CodeDeadlineExceeded, "", "")
}

// TestJobResult holds ranges, tags, forms and digests of results, inline and in parts.
func TestJobResult(t *testing.T) {
	t.Parallel()
	s := startJobs(t)
	s.hire()
	for name, size := range sizes {
		job := s.submit("/v1/alphabet/text", fmt.Sprintf(`{"size":%d}`, size), "Accept", contract.MediaText)
		job = s.awaitState(job.ID, contract.JobSucceeded)
		want, path := string(appendLetters(nil, 0, size)), "/v1/jobs/"+job.ID+"/result"
		whole := s.get(path)
		tag := whole.Header.Get("ETag")
		if got := text(t, whole); got != want || whole.Header.Get(contract.HeaderDigest) != job.Result.Digest || whole.Header.Get("Content-Type") != contract.MediaText {
			t.Errorf("%s: %d, %d bytes, %v", name, whole.StatusCode, len(got), whole.Header)
		}
		part := s.get(path, "Range", "bytes=100-", "If-Range", tag)
		if got := text(t, part); part.StatusCode != http.StatusPartialContent || got != want[100:] {
			t.Errorf("%s: range: %d, %d bytes", name, part.StatusCode, len(got))
		}
		if got := text(t, s.get(path, "Range", "bytes=100-", "If-Range", `"other"`)); got != want {
			t.Errorf("%s: range of another: %d bytes", name, len(got))
		}
		wantProblem(t, s.get(path, "Range", fmt.Sprintf("bytes=%d-", size)), contract.CodeRangeNotSatisfiable, "Range", "below")
		if r := s.get(path, "If-None-Match", tag); r.StatusCode != http.StatusNotModified {
			t.Errorf("%s: held: %d", name, r.StatusCode)
		}
		if r := s.do(request(t, http.MethodHead, path, nil)); r.Header.Get("Content-Length") != fmt.Sprint(size) || text(t, r) != "" {
			t.Errorf("%s: HEAD: %v", name, r.Header)
		}
		wantProblem(t, s.get(path, "Accept", contract.MediaJSON), contract.CodeNotAcceptable, "", "stored as text/plain")
	}
	job := s.submit(sayPath, `{"text":"abc"}`)
	s.awaitState(job.ID, contract.JobSucceeded)
	if got := text(t, s.get("/v1/jobs/"+job.ID+"/result")); got != `{"text":"abc"}` {
		t.Errorf("JSON: %s", got)
	}
	if r := s.get("/v1/jobs/"+job.ID+"/result", "Accept", contract.MediaText, "Range", "bytes=1-"); text(t, r) != "bc" || r.Header.Get("Content-Range") != "bytes 1-2/3" {
		t.Errorf("rendered as text: %v", r.Header)
	}
}

// TestJobBadInput sends what callers get wrong.
func TestJobBadInput(t *testing.T) {
	t.Parallel()
	const invalid = contract.CodeInvalidArgument
	s := startJobs(t)
	async := []string{"Prefer", "respond-async"}
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		for _, id := range []string{"echo-say-nobody", "x", "echo-say-" + strings.Repeat("a", 65), "echo-say-.", "Echo-say-a", "%00", "*"} {
			wantProblem(t, s.do(request(t, method, "/v1/jobs/"+id, nil)), contract.CodeNotFound, "", "no job")
		}
	}
	for _, path := range []string{"/result", "/events"} {
		wantProblem(t, s.get("/v1/jobs/echo-say-nobody"+path), contract.CodeNotFound, "", "no job")
	}
	wantProblem(t, s.post("/v1/jobs/echo-say-nobody/retry", ""), contract.CodeNotFound, "", "no job")
	wantProblem(t, s.post("/v1/echo/shout", `{}`, async...), contract.CodeNotFound, "", "no operation")
	wantProblem(t, s.post(sayPath, `{"text":"`+strings.Repeat("a", contract.DefaultMaxRequest)+`"}`, async...), contract.CodeRequestTooLarge, "", "at most")
	wantProblem(t, s.post(sayPath, `{"text":""}`, async...), invalid, "text", "empty")
	wantProblem(t, s.post(sayPath, `{`, async...), contract.CodeMalformedRequest, "", "JSON")
	wantProblem(t, s.post(sayPath, `{"text":"a"}`, "Prefer", "respond-async", "Accept", "image/png"), contract.CodeNotAcceptable, "", contract.MediaText)
	for _, option := range [][2]string{
		{contract.HeaderClass, "urgent"}, {contract.HeaderRunLimit, "1ms"}, {contract.HeaderRunLimit, "soon"}, {contract.HeaderQueueLimit, "1000h"},
		{contract.HeaderRetention, "-1s"}, {contract.HeaderAttempts, "0"}, {contract.HeaderAttempts, "many"}, {contract.HeaderKey, strings.Repeat("k", 256)},
	} {
		wantProblem(t, s.post(sayPath, `{"text":"a"}`, "Prefer", "respond-async", option[0], option[1]), invalid, option[0], "must")
	}
	first := s.submit(sayPath, `{"text":"a"}`, contract.HeaderKey, "k")
	if again := s.submit(sayPath, `{"text":"a"}`, contract.HeaderKey, "k"); again.ID != first.ID {
		t.Errorf("same key: %s and %s", first.ID, again.ID)
	}
	wantProblem(t, s.post(sayPath, `{"text":"b"}`, "Prefer", "respond-async", contract.HeaderKey, "k"), invalid, contract.HeaderKey, "another request")
	if r := s.do(request(t, http.MethodPut, "/v1/jobs/"+first.ID, nil)); r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") != "GET, HEAD, DELETE" {
		t.Errorf("PUT: %d, %v", r.StatusCode, r.Header)
	}
	s.hire()
	job := s.awaitState(first.ID, contract.JobSucceeded)
	if r := s.post(sayPath, `{"text":"a"}`, "Prefer", "respond-async", contract.HeaderKey, "k"); r.StatusCode != http.StatusOK || jobOf(t, r).State != contract.JobSucceeded {
		t.Errorf("same key after the end: %d", r.StatusCode)
	}
	wantProblem(t, s.do(request(t, http.MethodDelete, "/v1/jobs/"+job.ID, nil)), contract.CodeConflict, "", "is succeeded")
	wantProblem(t, s.post("/v1/jobs/"+job.ID+"/retry", ""), contract.CodeConflict, "", "is succeeded")
	failed := s.submit(sayPath, `{"text":"fail"}`)
	s.awaitState(failed.ID, contract.JobFailed)
	wantProblem(t, s.get("/v1/jobs/"+failed.ID+"/result"), invalid, "text", "must not be fail")
	short := s.submit(sayPath, `{"text":"c"}`, contract.HeaderRetention, "1s")
	s.awaitState(short.ID, contract.JobSucceeded)
	brokertest.Await(t, "the result expires", func() bool {
		return s.get("/v1/jobs/"+short.ID+"/result").StatusCode != http.StatusOK
	})
	wantProblem(t, s.get("/v1/jobs/"+short.ID+"/result"), contract.CodeGone, "", "expired")
}

// TestJobsNeedJetStream holds what callers hear where jobs cannot be.
func TestJobsNeedJetStream(t *testing.T) {
	t.Parallel()
	s := startJobsIn(t, "")
	wantProblem(t, s.post(sayPath, `{"text":"a"}`, "Prefer", "respond-async"), contract.CodeUnavailable, "", "JetStream")
	none := start(t, nil)
	wantProblem(t, none.post("/v1/fibonacci/term", `{"n":1}`, "Prefer", "respond-async"), contract.CodeUnavailable, "", "keeps no jobs")
	wantProblem(t, none.get("/v1/jobs/fibonacci-term-a"), contract.CodeUnavailable, "", "keeps no jobs")
}

// events opens the events of a job over TCP.
func (s *jobSuite) events(address, id string, headers ...string) (*http.Response, *bufio.Reader) {
	s.Helper()
	return s.stream(address, "/v1/jobs/"+id+"/events", headers...)
}

// stream reads an answer as it comes.
func (s *jobSuite) stream(address, path string, headers ...string) (*http.Response, *bufio.Reader) {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		s.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = response.Body.Close() })
	return response, bufio.NewReader(response.Body)
}

// frame is one event as it came.
type frame struct {
	id, text string
	job      contract.Job
}

// next reads the next event, or an empty frame for a sign of life, or nil at the end.
func (s *jobSuite) next(from *bufio.Reader) *frame {
	s.Helper()
	var f frame
	for {
		line, err := from.ReadString('\n')
		if err != nil {
			return nil
		}
		f.text += line
		switch {
		case line == "\n":
			return &f
		case strings.HasPrefix(line, "id: "):
			f.id = strings.TrimSpace(line[len("id: "):])
		case strings.HasPrefix(line, "data: "):
			if err := json.Unmarshal([]byte(line[len("data: "):]), &f.job); err != nil {
				s.Fatal(err)
			}
		}
	}
}

// TestJobEvents follows a job from its queue to its end, and comes again.
func TestJobEvents(t *testing.T) {
	t.Parallel()
	s := startJobs(t)
	s.rest.SetHeartbeat(time.Hour)
	address := s.listen()
	job := s.submit(sayPath, `{"text":"hold"}`)
	r, from := s.events(address, job.ID)
	if f := s.next(from); r.Header.Get("Content-Type") != "text/event-stream" || f.job.State != contract.JobQueued || f.id != "0" {
		t.Fatalf("first: %+v, %v", f, r.Header)
	}
	s.hire()
	running := s.next(from)
	if running.job.State != contract.JobRunning {
		t.Fatalf("second: %+v", running)
	}
	_, behind := s.events(address, job.ID, "Last-Event-ID", running.id)
	if f := s.next(behind); f == nil || f.text != ":\n\n" {
		t.Errorf("who has it already got %+v", f)
	}
	s.hold <- struct{}{}
	for _, reader := range []*bufio.Reader{from, behind} {
		last := s.next(reader)
		if last.job.State != contract.JobSucceeded || string(last.job.Result.Value) != `{"text":"hold"}` || last.id <= running.id {
			t.Errorf("last: %+v", last)
		}
		if end := s.next(reader); end != nil {
			t.Errorf("after the end: %+v", end)
		}
		if again, _ := s.events(address, job.ID, "Last-Event-ID", last.id); again.StatusCode != http.StatusNoContent {
			t.Errorf("who has all got %d", again.StatusCode)
		}
	}
	_, late := s.events(address, job.ID, "Last-Event-ID", "nonsense")
	if f := s.next(late); f.job.State != contract.JobSucceeded {
		t.Errorf("late: %+v", f)
	}
}

// TestJobEventsOfLargeResult holds that large results stay out of events.
func TestJobEventsOfLargeResult(t *testing.T) {
	t.Parallel()
	s := startJobs(t)
	s.hire()
	job := s.submit("/v1/alphabet/text", `{"size":5000}`)
	s.awaitState(job.ID, contract.JobSucceeded)
	_, from := s.events(s.listen(), job.ID)
	if f := s.next(from); f.job.Result == nil || f.job.Result.Size < 5000 || f.job.Result.Value != nil {
		t.Errorf("got %+v", f)
	}
}

// TestJobEventsHeartbeat holds that idle streams show life and end when the gateway leaves.
func TestJobEventsHeartbeat(t *testing.T) {
	t.Parallel()
	s := startJobs(t)
	s.rest.SetHeartbeat(time.Millisecond)
	job := s.submit(sayPath, `{"text":"a"}`)
	_, from := s.events(s.listen(), job.ID)
	s.next(from)
	for range 3 {
		if f := s.next(from); f == nil || f.text != ":\n\n" {
			t.Fatalf("no sign of life but %+v", f)
		}
	}
	waited := make(chan *http.Response)
	go func() { waited <- s.post(sayPath, `{"text":"b"}`, "Prefer", "respond-async, wait=3000") }()
	s.rest.Leave()
	for f := s.next(from); f != nil; f = s.next(from) {
		if f.text != ":\n\n" {
			t.Errorf("got %+v", f)
		}
	}
	if r := <-waited; r.StatusCode != http.StatusAccepted {
		t.Errorf("who waited got %d", r.StatusCode)
	}
}

// volatile are the parts of documents that differ from run to run.
var volatile = regexp.MustCompile(`echo-say-[a-z0-9]{20}|"(created|started|finished|expires)":"[^"]*"|"queue_ms":[0-9.e-]+|"instance":"[^"]*"|id: [1-9][0-9]*`)

// TestJobGolden pins the documents on the wire.
func TestJobGolden(t *testing.T) {
	t.Parallel()
	s := startJobs(t)
	s.rest.SetHeartbeat(time.Hour)
	var got strings.Builder
	show := func(title, body string) {
		body = volatile.ReplaceAllStringFunc(body, func(part string) string {
			switch name, _, isMember := strings.Cut(part, ":"); {
			case isMember:
				return name + ":…"
			default:
				return "echo-say-TOKEN"
			}
		})
		fmt.Fprintf(&got, "== %s\n%s\n", title, strings.TrimSpace(body))
	}
	at := func(id, below string) string { return text(t, s.get("/v1/jobs/"+id+below)) }
	job := s.submit(sayPath, `{"text":"hold"}`)
	show("queued", at(job.ID, ""))
	show("no result yet", at(job.ID, "/result"))
	s.hire()
	s.awaitState(job.ID, contract.JobRunning)
	show("running", at(job.ID, ""))
	s.hold <- struct{}{}
	s.awaitState(job.ID, contract.JobSucceeded)
	show("succeeded", at(job.ID, ""))
	_, from := s.events(s.listen(), job.ID)
	show("event", s.next(from).text)
	show("retry of one that succeeded", text(t, s.post("/v1/jobs/"+job.ID+"/retry", "")))
	failed := s.submit(sayPath, `{"text":"fail"}`)
	s.awaitState(failed.ID, contract.JobFailed)
	show("failed", at(failed.ID, ""))
	show("its result", at(failed.ID, "/result"))
	canceled := s.submit(sayPath, `{"text":"hold"}`)
	s.awaitState(canceled.ID, contract.JobRunning)
	show("canceled", text(t, s.do(request(t, http.MethodDelete, "/v1/jobs/"+canceled.ID, nil))))
	show("unknown", at("echo-say-nobody", ""))
	path := filepath.Join("testdata", "jobs.txt")
	if *update {
		if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("the documents have changed:\n%s", got.String())
	}
}
