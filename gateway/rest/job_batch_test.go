package rest_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/seed-649d3d38/heddle/contract"
)

const typeLines = "application/x-ndjson"

// submitLines submits a batch as a job.
func (s *jobSuite) submitLines(body string, headers ...string) contract.Job {
	s.Helper()
	r := s.postLines(body, headers...)
	if r.StatusCode != http.StatusAccepted {
		s.Errorf("submitted: %d, %v", r.StatusCode, r.Header)
	}
	return jobOf(s, r)
}

// postLines sends a batch that is to become a job.
func (s *jobSuite) postLines(body string, headers ...string) *http.Response {
	s.Helper()
	return s.do(request(s, http.MethodPost, sayPath+"/batch", strings.NewReader(body), append(headers, "Content-Type", typeLines, "Prefer", "respond-async")...))
}

// TestBatchJob follows a batch from its submission to its end.
func TestBatchJob(t *testing.T) {
	t.Parallel()
	s := startJobs(t)
	job := s.submitLines(`{"text":"a"}`+"\n"+`{"text":"hold"}`+"\n"+`{"text":"fail"}`+"\n"+`{"text"`, "Idempotency-Key", "k")
	if job.State != contract.JobQueued || *job.Items != (contract.JobItems{Total: 4}) {
		t.Errorf("submitted: %+v, %+v", job, job.Items)
	}
	if again := s.submitLines(`{"text":"a"}`+"\n\n"+`{"text":"hold"}`+"\n"+`{"text":"fail"}`+"\n"+`{"text"`, "Idempotency-Key", "k"); again.ID != job.ID {
		t.Errorf("submitted again: %s and %s", job.ID, again.ID)
	}
	wantProblem(t, s.postLines(`{"text":"b"}`, "Idempotency-Key", "k"),
		contract.CodeInvalidArgument, "Idempotency-Key", "another request")
	s.hire()
	r, body := s.stream(s.listen(), "/v1/jobs/"+job.ID+"/items")
	if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != typeLines {
		t.Fatalf("items: %d %v", r.StatusCode, r.Header)
	}
	lines := bufio.NewScanner(body)
	next := func() contract.BatchLine {
		t.Helper()
		if !lines.Scan() {
			t.Fatalf("no line: %v, %+v", lines.Err(), text(t, s.get("/v1/jobs/"+job.ID)))
		}
		l, err := contract.ParseBatchLine(lines.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	for range 3 { // while the one that holds does
		if l := next(); l.Index == 1 || l.Done || (l.Error == nil) != (l.Index == 0) {
			t.Errorf("got %+v", l)
		}
	}
	wantProblem(t, s.get("/v1/jobs/"+job.ID+"/result"), contract.CodeConflict, "", "is running")
	s.hold <- struct{}{}
	if l := next(); l.Index != 1 || l.Error != nil {
		t.Errorf("got %+v", l)
	}
	if l := next(); !l.Done || l.OK != 2 || l.Failed != 2 {
		t.Errorf("got %+v", l)
	}
	if lines.Scan() {
		t.Errorf("behind the last line: %s", lines.Text())
	}
	whole := s.get("/v1/jobs/" + job.ID + "/result")
	if body := text(t, whole); whole.StatusCode != http.StatusOK || strings.Count(body, "\n") != 5 || whole.Header.Get("Repr-Digest") == "" {
		t.Errorf("result: %d %v %s", whole.StatusCode, whole.Header, body)
	}
	if body, err := io.ReadAll(s.get("/v1/jobs/" + job.ID + "/items").Body); err != nil || strings.Count(string(body), "\n") != 5 {
		t.Errorf("items of what has ended: %s, %v", body, err)
	}
	waited := s.post(sayPath+"/batch", `[{"text":"a"}]`, "Prefer", "respond-async, wait=30")
	if body := text(t, waited); waited.StatusCode != http.StatusOK || !strings.HasSuffix(body, `{"done":true,"ok":1,"failed":0}`+"\n") {
		t.Errorf("waited: %d %s", waited.StatusCode, body)
	}
}

// TestBatchJobBadInput holds what is said of batches that cannot be jobs.
func TestBatchJobBadInput(t *testing.T) {
	t.Parallel()
	s := startJobs(t)
	post := func(path, body string, headers ...string) *http.Response {
		return s.post(path, body, append(headers, "Prefer", "respond-async")...)
	}
	batch := sayPath + "/batch"
	wantProblem(t, post(batch, `[]`), contract.CodeMalformedRequest, "", "empty")
	wantProblem(t, post(batch, `[{]`), contract.CodeMalformedRequest, "", "JSON array")
	wantProblem(t, post(batch+"?order=input", `[{"text":"a"}]`), contract.CodeInvalidArgument, "order", "indexes")
	wantProblem(t, post(batch, `[{"text":"a"}]`, "Heddle-Then", "echo.none"), contract.CodeInvalidArgument, "Heddle-Then", "there is no echo.none")
	wantProblem(t, post(batch, `[{"text":"a"}]`, "Heddle-Then", "echo.say"), contract.CodeInvalidArgument, "Heddle-Then", "takes the results")
	wantProblem(t, post(batch, `[{"text":"a"}]`, "Heddle-Then", "x"), contract.CodeInvalidArgument, "Heddle-Then", "name of an operation")
	wantProblem(t, post(batch, `[{"text":"a"}]`, "Heddle-Items", "3"), contract.CodeInvalidArgument, "Heddle-Items", "cannot be set")
	wantProblem(t, post(batch, `[{"text":"`+strings.Repeat("a", contract.MaxBatchJobBody)+`"}]`), contract.CodeRequestTooLarge, "", "at most")
	wantProblem(t, s.postLines(strings.Repeat("1\n", contract.MaxBatchJobItems+1)), contract.CodeRequestTooLarge, "", "requests")
	wantProblem(t, s.post(batch, `[{"text":"`+strings.Repeat("a", contract.MaxBatchBody)+`"}]`), contract.CodeRequestTooLarge, "", "respond-async")
	wantProblem(t, post(sayPath, `{"text":"a"}`, "Heddle-Then", "echo.say"), contract.CodeInvalidArgument, "Heddle-Then", "batches")
	job := s.submit(sayPath, `{"text":"a"}`)
	wantProblem(t, s.get("/v1/jobs/"+job.ID+"/items"), contract.CodeConflict, "", "is no batch")
	wantProblem(t, s.get("/v1/jobs/echo-say-none/items"), contract.CodeNotFound, "", "there is no job")
}
