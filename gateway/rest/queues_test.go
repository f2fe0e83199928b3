package rest_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
)

// TestQueues pauses and resumes a service and looks at its queue meanwhile.
func TestQueues(t *testing.T) {
	t.Parallel()
	s := startJobs(t)
	d := describe(s.suite)
	queue := func(r *http.Request, v any) {
		t.Helper()
		response := s.do(r)
		body := text(t, response)
		response.Body = readCloser(body)
		d.check(t, r, response)
		if err := json.Unmarshal([]byte(body), v); err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s %s: %d %s, %v", r.Method, r.URL, response.StatusCode, body, err)
		}
	}
	var q contract.JobQueue
	queue(request(t, http.MethodPost, "/v1/queues/echo/pause", nil), &q)
	if q.PausedUntil.IsZero() {
		t.Errorf("paused: %+v", q)
	}
	s.hire()
	job := s.submit(sayPath, `{"text":"a"}`)
	var all contract.JobQueues
	brokertest.Await(t, "the oldest job to be known", func() bool {
		queue(request(t, http.MethodGet, "/v1/queues", nil), &all)
		return !all.Queues[0].Oldest.IsZero()
	})
	if len(all.Queues) != 3 || all.Queues[0].Service != "echo" || all.Queues[0].Queued != 1 {
		t.Errorf("listed: %+v", all)
	}
	q = contract.JobQueue{}
	queue(request(t, http.MethodPost, "/v1/queues/echo/resume", nil), &q)
	if !q.PausedUntil.IsZero() {
		t.Errorf("resumed: %+v", q)
	}
	s.awaitState(job.ID, contract.JobSucceeded)
	queue(request(t, http.MethodGet, "/v1/queues/echo", nil), &q)
	for _, r := range []*http.Request{
		request(t, http.MethodGet, "/v1/queues/nobody", nil), request(t, http.MethodPost, "/v1/queues/nobody/pause", nil), request(t, http.MethodPost, "/v1/queues/nobody/resume", nil),
	} {
		wantProblem(t, s.do(r), contract.CodeNotFound, "", "the services are echo")
	}
	wantProblem(t, s.do(request(t, http.MethodGet, "/v1/queues/echo/pause", nil)), contract.CodeMethodNotAllowed, "", "use POST")
}
