package host_test

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/broker"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/internal/ndjson"
	"github.com/seed-649d3d38/heddle/jobs"
	"github.com/seed-649d3d38/heddle/solver"
)

// Count follows a batch of echoes and counts them.
type Count struct {
	Text contract.Integer `json:"text"`
}

var count = contract.Define[contract.Gathered[EchoResult], Count](contract.Spec{
	Service: "counter", Operation: "count", Summary: "Counts what was echoed", Pure: true, MaxRequest: 1 << 20,
})

// openJobs opens the jobs of a new broker.
func openJobs(t *testing.T) (*broker.Broker, *jobs.Store) {
	t.Helper()
	b := brokertest.Start(t)
	store, err := jobs.Open(brokertest.Connect(t, b), jobs.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	return b, store
}

// submitEchoes submits a batch of so many requests, with the padding between them.
func submitEchoes(t *testing.T, s *jobs.Store, endpoint contract.Descriptor, n int, padding string, o contract.JobOptions) contract.JobRef {
	t.Helper()
	var text bytes.Buffer
	for i := range n {
		fmt.Fprintf(&text, "{\"text\":%s%q}\n", padding, strconv.Itoa(i))
	}
	items, err := ndjson.Split(text.Bytes(), ndjson.Lines, n)
	if err != nil {
		t.Fatal(err)
	}
	job, _, err := s.SubmitBatch(t.Context(), jobs.BatchSubmission{Endpoint: endpoint, Items: items, Options: o})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := contract.ParseJobID(job.ID)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// linesOf returns the lines of a batch that there are, by their index, and the last one.
func linesOf(t *testing.T, s *jobs.Store, ref contract.JobRef) (lines map[int]contract.BatchLine, last contract.BatchLine) {
	t.Helper()
	stored, _, err := s.Lines(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := stored.WriteRange(t.Context(), &text, 0, stored.Size); err != nil {
		t.Fatal(err)
	}
	lines = make(map[int]contract.BatchLine)
	for line := range bytes.Lines(text.Bytes()) {
		l, err := contract.ParseBatchLine(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			t.Fatal(err)
		}
		if l.Done {
			last = l
			continue
		}
		if _, twice := lines[l.Index]; twice {
			t.Errorf("two lines for the request %d", l.Index)
		}
		lines[l.Index] = l
	}
	return lines, last
}

// TestBatchIsOneJob does batches of all sizes and checks that every request has its line.
func TestBatchIsOneJob(t *testing.T) {
	t.Parallel()
	b, store := openJobs(t)
	for name, jobsOnly := range map[string]bool{"all": false, "jobs only": true} {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				openSite(t, brokertest.Connect(t, b), host.Config{Slots: 2, Jobs: store, JobsOnly: jobsOnly}).free()
			}
			for _, size := range []struct {
				items   int
				padding string
			}{{1, ""}, {700, ""}, {200, strings.Repeat(" ", 5000)}} {
				ref := submitEchoes(t, store, sing.Descriptor(), size.items, size.padding, contract.JobOptions{})
				job := ended(t, store, ref)
				if job.State != contract.JobSucceeded || *job.Items != (contract.JobItems{Total: size.items, OK: size.items}) {
					t.Fatalf("got %+v, %+v", job, job.Items)
				}
				lines, last := linesOf(t, store, ref)
				if len(lines) != size.items || last.OK != size.items {
					t.Errorf("got %d lines and %+v, want %d", len(lines), last, size.items)
				}
				for i, l := range lines {
					if want := fmt.Sprintf(`{"text":"%d"}`, i); string(l.Result) != want {
						t.Errorf("request %d: got %s, %v", i, l.Result, l.Error)
					}
				}
			}
		})
	}
}

// TestBatchGoesOnElsewhere stops the instance that looks after a batch and checks that
// another one goes on, without doing again what is stored.
func TestBatchGoesOnElsewhere(t *testing.T) {
	t.Parallel()
	b, store := openJobs(t)
	first := openSite(t, brokertest.Connect(t, b), host.Config{Slots: 1, Jobs: store})
	ref := submitEchoes(t, store, echo.Descriptor(), 4, "", contract.JobOptions{})
	done := first.begins()
	first.end <- struct{}{}
	brokertest.Await(t, "the first line is stored", func() bool {
		lines, _ := linesOf(t, store, ref)
		return len(lines) == 1
	})
	second := openSite(t, brokertest.Connect(t, b), host.Config{Slots: 1, Jobs: store})
	second.free()
	short, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	wait := first.startDrain(short)
	job := ended(t, store, ref)
	_ = wait() // what it was doing did not end in time, or did
	if job.State != contract.JobSucceeded || job.Items.OK != 4 {
		t.Fatalf("got %+v, %+v", job, job.Items)
	}
	if lines, last := linesOf(t, store, ref); len(lines) != 4 || !last.Done {
		t.Errorf("got %d lines and %+v", len(lines), last)
	}
	for len(second.began) > 0 {
		if text := <-second.began; text == done {
			t.Errorf("request %s was done again", text)
		}
	}
}

// TestBatchIsCanceled cancels a batch and checks that its work ends.
func TestBatchIsCanceled(t *testing.T) {
	t.Parallel()
	b, store := openJobs(t)
	s := openSite(t, brokertest.Connect(t, b), host.Config{Slots: 1, Jobs: store})
	ref := submitEchoes(t, store, echo.Descriptor(), 3, strings.Repeat(" ", 100_000), contract.JobOptions{})
	s.begins()
	if _, err := store.Cancel(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	brokertest.Await(t, "all slots are free", func() bool { return loadOf(t, s.nc).Busy == 0 })
	if job, err := store.Get(t.Context(), ref); err != nil || job.State != contract.JobCanceled {
		t.Errorf("got %+v, %v", job, err)
	}
	s.free()
	if _, err := store.Retry(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	if job := ended(t, store, ref); job.State != contract.JobSucceeded || job.Items.OK != 3 {
		t.Errorf("retried: %+v, %+v", job, job.Items)
	}
	js, err := jetstream.New(s.nc)
	if err != nil {
		t.Fatal(err)
	}
	brokertest.Await(t, "nothing is left of the requests", func() bool {
		results, err := js.Stream(t.Context(), "KV_"+contract.ResultBucket)
		return err == nil && results.CachedInfo().State.Msgs == 0
	})
}

// TestResultsOfBatchGoOn gives the results of a batch to the operation that follows.
func TestResultsOfBatchGoOn(t *testing.T) {
	t.Parallel()
	b, store := openJobs(t)
	solve := func(_ context.Context, g contract.Gathered[EchoResult]) (Count, error) {
		n := 0
		for _, item := range g.Items {
			if item.Result != nil && string(item.Result.Text) == strconv.Itoa(item.Index) {
				n++
			}
		}
		return Count{Text: contract.Integer(strconv.Itoa(n))}, nil
	}
	h, err := host.Start(t.Context(), brokertest.Connect(t, b), host.Config{Jobs: store}, solver.Service{
		Name: "counter", Version: "1.0.0", Operations: []solver.Operation{solver.Bind(count, solve)},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Drain(context.Background()); err != nil {
			t.Error(err)
		}
	})
	openSite(t, brokertest.Connect(t, b), host.Config{Slots: 2, Jobs: store}).free()
	ref := submitEchoes(t, store, sing.Descriptor(), 25, "", contract.JobOptions{Then: "counter.count"})
	batch := ended(t, store, ref)
	then, err := contract.ParseJobID(batch.Then)
	if err != nil {
		t.Fatalf("%v: %+v", err, batch)
	}
	brokertest.Await(t, "the job that follows is there", func() bool {
		_, err := store.Get(t.Context(), then)
		return err == nil
	})
	if job := ended(t, store, then); job.State != contract.JobSucceeded || string(job.Result.Value) != `{"text":"25"}` {
		t.Errorf("got %+v, %s", job, job.Result.Value)
	}
}
