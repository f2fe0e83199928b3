package main

import (
	"strings"
	"testing"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
)

// TestProgressBar shows a job from its queue to its end, at set times.
func TestProgressBar(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	now := began
	var out strings.Builder
	b := &progressBar{out: &out, now: func() time.Time { return now }, began: began}
	queued := contract.Job{ID: "prime-test-a", State: contract.JobQueued}
	running := contract.Job{ID: "prime-test-a", State: contract.JobRunning, Attempt: 1, Started: began}
	at := func(done int64) contract.Job {
		job := running
		job.Progress = &contract.Progress{Done: done, Total: 400, Unit: "numbers"}
		return job
	}
	waiting := queued
	waiting.Attempt, waiting.NotBefore = 1, began.Add(70*time.Second)
	waiting.Error = contract.Errorf(contract.CodeUpstream, "the site is down")
	ended := at(400)
	ended.State, ended.Finished = contract.JobSucceeded, began.Add(90*time.Second)
	ended.Result = &contract.JobResult{Size: 7, ContentType: contract.MediaJSON}
	for _, step := range []struct {
		after time.Duration
		job   contract.Job
		want  string
	}{
		{0, queued, "queued  0s"},
		{2 * time.Second, running, "running  2s"},
		{3 * time.Second, at(100), "running  ██████░░░░░░░░░░░░░░░░░░  25 %  100 of 400 numbers"},
		{13 * time.Second, at(200), "running  ████████████░░░░░░░░░░░░  50 %  200 of 400 numbers  10/s  20s left"},
		{60 * time.Second, waiting, "queued, attempt 1, again in 10s: upstream"},
		{90 * time.Second, ended, "succeeded after 1m30s of work, 7 bytes of application/json\n"},
	} {
		out.Reset()
		now = began.Add(step.after)
		if err := b.show(step.job); err != nil {
			t.Fatal(err)
		}
		_, got, _ := strings.Cut(out.String(), "\r")
		if end := strings.HasSuffix(step.want, "\n"); strings.TrimRight(got, " \n") != strings.TrimRight(step.want, "\n") || strings.HasSuffix(got, "\n") != end {
			t.Errorf("after %s: %q, want %q", step.after, got, step.want)
		}
	}
}

func TestPrintJobs(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	var out strings.Builder
	err := printJobs(&out, []contract.Job{
		{ID: "prime-test-a", State: contract.JobQueued, Created: now.Add(-90 * time.Minute)},
		{ID: "prime-test-b", State: contract.JobRunning, Attempt: 2, Created: now.Add(-20 * time.Second), Started: now.Add(-5 * time.Second), QueueMS: 250, Progress: &contract.Progress{Done: 1, Total: 3}},
	}, now)
	want := `JOB           STATE    ATTEMPT    AGE  QUEUE  WORK  PROGRESS
prime-test-a  queued         0  1h30m      -     -         -
prime-test-b  running        2    20s  250ms    5s      33 %
`
	if err != nil || out.String() != want {
		t.Errorf("got %v\n%s\nwant\n%s", err, out.String(), want)
	}
}
