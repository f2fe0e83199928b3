package jobs_test

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
)

var update = flag.Bool("update", false, "write the golden files anew")

// kept is a message as a release left it at the broker.
type kept struct {
	Subject string          `json:"subject"`
	Header  nats.Header     `json:"header,omitempty"`
	Body    json.RawMessage `json:"body"`
}

// leave stores the messages of a file of testdata. Those of the first release stay as they
// are for ever; those of a future one have what there is not today.
func (w *ward) leave(name string) {
	w.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		w.Fatal(err)
	}
	var all []kept
	if err := json.Unmarshal(text, &all); err != nil {
		w.Fatal(err)
	}
	for _, k := range all {
		reply, err := w.nc.RequestMsg(&nats.Msg{Subject: k.Subject, Header: k.Header, Data: k.Body}, patience)
		if err != nil || strings.Contains(string(reply.Data), `"error"`) {
			w.Fatalf("%s: %s, %v", k.Subject, reply.Data, err)
		}
	}
}

// TestReleases has today's release take over what the first one and a future one left in
// every state: jobs without a record, one whose instance is gone, one that waits to be
// retried, and ones that have ended.
func TestReleases(t *testing.T) {
	t.Parallel()
	for _, release := range []string{"first.json", "future.json"} {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			w := openWard(t)
			w.leave(release)
			ref := func(token string) contract.JobRef {
				return contract.JobRef{Tenant: contract.DefaultTenant, Service: echo.Service, Operation: echo.Operation, Token: token}
			}
			w.state(ref("queued"), contract.JobQueued, "")
			w.state(ref("running"), contract.JobRunning, "")
			w.state(ref("failed"), contract.JobFailed, contract.CodeUpstream)
			if result, err := w.s.Result(t.Context(), ref("succeeded")); err != nil || result.Size != 13 {
				t.Errorf("result: %+v, %v", result, err)
			}
			// Whoever had the messages is gone.
			batch, err := consumerNamed(t, w.nc, "normal-default").Fetch(2)
			if err != nil {
				t.Fatal(err)
			}
			for m := range batch.Messages() {
				if err := m.Nak(); err != nil {
					t.Fatal(err)
				}
			}
			hire(t, w.s, 2, say)
			for token, attempt := range map[string]int{"queued": 1, "running": 3} {
				if job := await(t, w.s, ref(token)); job.State != contract.JobSucceeded || job.Attempt != attempt || string(job.Result.Value) != `{"text":"42"}` {
					t.Errorf("%s: %+v", token, job)
				}
			}
			if _, err := w.s.Retry(t.Context(), ref("failed")); err != nil {
				t.Fatal(err)
			}
			if job := await(t, w.s, ref("failed")); job.State != contract.JobSucceeded {
				t.Errorf("retried: %+v", job)
			}
		})
	}
}

// TestReleaseLeaves pins what this release leaves for others: the members of its records
// and the headers of its messages. Additions are safe; what goes or changes is not.
func TestReleaseLeaves(t *testing.T) {
	t.Parallel()
	w := openWard(t)
	left := make(map[string][]string)
	note := func(stream, subject, what string) {
		t.Helper()
		in, err := w.js.Stream(t.Context(), stream)
		if err != nil {
			t.Fatal(err)
		}
		m, err := in.GetLastMsgForSubject(t.Context(), subject)
		if err != nil {
			t.Fatal(err)
		}
		var body map[string]any
		if err := json.Unmarshal(m.Data, &body); err != nil {
			t.Fatal(err)
		}
		left["members of "+what] = slices.Sorted(maps.Keys(body))
		left["headers of "+what] = slices.Sorted(maps.Keys(m.Header))
	}
	all := contract.JobOptions{
		Key: "k", Class: contract.ClassHigh, Accept: contract.MediaText, RunLimit: time.Minute, QueueLimit: time.Minute, Attempts: 2, Retention: time.Hour,
	}
	failing := submit(t, w.s, `{"text":"fail"}`, all)
	note(contract.WorkStream(echo.Service), failing.WorkSubject(contract.ClassHigh), "message")
	hire(t, w.s, 1, byText)
	await(t, w.s, failing)
	note("KV_"+contract.JobBucket, failing.RecordSubject(), "record failed")
	ref := submit(t, w.s, `{"text":"a"}`, contract.JobOptions{})
	await(t, w.s, ref)
	note("KV_"+contract.JobBucket, ref.RecordSubject(), "record succeeded")
	ref = submit(t, w.s, `{"text":"hold"}`, contract.JobOptions{})
	awaitState(t, w.s, ref, contract.JobRunning)
	note("KV_"+contract.JobBucket, ref.RecordSubject(), "record running")
	if _, err := w.s.Cancel(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	note("KV_"+contract.JobBucket, ref.RecordSubject(), "record canceled")
	if err := w.s.Pause(t.Context(), echo.Service); err != nil {
		t.Fatal(err)
	}
	if _, err := w.s.Retry(t.Context(), failing); err != nil {
		t.Fatal(err)
	}
	note("KV_"+contract.JobBucket, failing.RecordSubject(), "record retried")
	note(contract.WorkStream(echo.Service), failing.WorkSubject(contract.ClassHigh), "message retried")
	got, err := json.MarshalIndent(left, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "left.json")
	if *update {
		if err := os.WriteFile(path, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || string(want) != string(got)+"\n" {
		t.Errorf("the wire has changed; if that is meant, run go test ./jobs -run ReleaseLeaves -update and say why in the commit: %v\n%s", err, got)
	}
}
