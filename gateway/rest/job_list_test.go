package rest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/seed-649d3d38/heddle/contract"
)

// TestJobList goes through the pages of a list with no instance there.
func TestJobList(t *testing.T) {
	t.Parallel()
	s := startJobs(t)
	want := make(map[string]bool)
	for range 3 {
		want[s.submit(sayPath, `{"text":"a"}`).ID] = true
	}
	path := "/v1/jobs?service=echo&state=queued&limit=2"
	for path != "" {
		r := s.get(path)
		var list contract.JobList
		if err := json.Unmarshal([]byte(text(t, r)), &list); err != nil || len(list.Jobs) > 2 {
			t.Fatalf("%s: %d jobs, %v", path, len(list.Jobs), err)
		}
		for _, job := range list.Jobs {
			delete(want, job.ID)
		}
		path, _, _ = strings.Cut(strings.TrimPrefix(r.Header.Get("Link"), "<"), ">")
	}
	if len(want) > 0 {
		t.Errorf("not listed: %v", want)
	}
	for query, field := range map[string]string{
		"limit=0": "limit", "limit=1001": "limit", "limit=x": "limit", "state=done": "state", "operation=say": "operation",
		"service=E": "service", "order=up": "order", "state=queued&state=failed": "state",
	} {
		wantProblem(t, s.get("/v1/jobs?"+query), contract.CodeInvalidArgument, field, "")
	}
}
