package jobs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/jobs"
)

// TestPlan pins what brokers keep. A difference changes installations: raise the revision
// of the plan with it, so that an older release does not undo it.
func TestPlan(t *testing.T) {
	t.Parallel()
	got, err := json.MarshalIndent(struct {
		Revision int
		Plan     []jobs.Stream
	}{jobs.PlanRevision, jobs.Plan(jobs.Config{Replicas: 3, Queue: 1000}, echo.Service)}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	const path = "testdata/plan.json"
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the plan has changed; if that is meant, raise PlanRevision, run go test ./jobs -update and say why in the commit\n%s", got)
	}
}

// openWith returns the jobs of the broker of the connection with a configuration.
func openWith(t testing.TB, nc *nats.Conn, cfg jobs.Config) *jobs.Store {
	t.Helper()
	s, err := jobs.Open(nc, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// provision provisions the jobs of echo and returns what was found by name, such as
// "HEDDLE_WORK_echo" or "HEDDLE_WORK_echo/high-default".
func provision(t testing.TB, s *jobs.Store) map[string]jobs.Finding {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	found, err := s.Provision(ctx, echo.Service)
	if err != nil {
		t.Fatal(err)
	}
	return byName(found)
}

func byName(found []jobs.Finding) map[string]jobs.Finding {
	names := make(map[string]jobs.Finding)
	for _, f := range found {
		name := f.Stream
		if f.Consumer != "" {
			name += "/" + f.Consumer
		}
		names[name] = f
	}
	return names
}

// planned is the number of streams and consumers for the jobs of echo.
const planned = 11

func wantAll(t testing.TB, found map[string]jobs.Finding, v jobs.Verdict) {
	t.Helper()
	if len(found) != planned {
		t.Errorf("found %d streams and consumers, want %d", len(found), planned)
	}
	for name, f := range found {
		if f.Verdict != v {
			t.Errorf("%s is %s, want %s: %v", name, f.Verdict, v, f.Differences)
		}
	}
}

func jetStream(t testing.TB, nc *nats.Conn) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// config returns the configuration of a stream at the broker.
func config(t testing.TB, js jetstream.JetStream, stream string) jetstream.StreamConfig {
	t.Helper()
	s, err := js.Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	return s.CachedInfo().Config
}

func TestProvision(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	s := open(t, nc)
	for range 2 { // it changes nothing
		found, err := s.Survey(t.Context(), echo.Service)
		if err != nil {
			t.Fatal(err)
		}
		wantAll(t, byName(found), jobs.Missing)
	}
	wantAll(t, provision(t, s), jobs.Missing)
	wantAll(t, provision(t, s), jobs.Same)
	if err := s.Prepare(t.Context(), echo.Service); err != nil {
		t.Errorf("an instance that comes later: %v", err)
	}
	hire(t, s, 1, say)
	if job := await(t, s, submit(t, s, `{"text":"1"}`, contract.JobOptions{})); job.State != contract.JobSucceeded {
		t.Errorf("got %+v", job)
	}
}

// TestProvisionChanges has instances make the streams, and then other bounds asked for.
func TestProvisionChanges(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	js := jetStream(t, nc)
	plain := open(t, nc)
	var refs []contract.JobRef
	for range 5 {
		refs = append(refs, submit(t, plain, `{"text":"1"}`, contract.JobOptions{}))
	}
	// An operator's choices that the plan does not speak of.
	own := config(t, js, contract.WorkStream(echo.Service))
	own.Compression, own.Metadata["team"] = jetstream.S2Compression, "red"
	if _, err := js.UpdateStream(t.Context(), own); err != nil {
		t.Fatal(err)
	}

	found := provision(t, openWith(t, nc, jobs.Config{Queue: 3, QueueBytes: 1 << 20}))
	want := []jobs.Difference{{"max_bytes", "1638400000", "1048576"}, {"max_msgs", "100000", "3"}}
	if f := found[own.Name]; f.Verdict != jobs.Different || !slices.Equal(f.Differences, want) {
		t.Errorf("got %+v, want %v", f, want)
	}
	if f := found["KV_"+contract.JobBucket]; f.Verdict != jobs.Same {
		t.Errorf("records: %+v", f)
	}
	now := config(t, js, own.Name)
	if now.MaxMsgs != 3 || now.MaxBytes != 1<<20 || now.Compression != jetstream.S2Compression || now.Metadata["team"] != "red" {
		t.Errorf("the stream is %+v", now)
	}
	wantAll(t, provision(t, plain), jobs.Same) // nothing is asked for, so bounds stay

	// There is room for fewer than are queued: those that are stay.
	var full *contract.Error
	if _, _, err := plain.Submit(t.Context(), jobs.Submission{Endpoint: echo, Body: []byte(`{"text":"1"}`)}); !errors.As(err, &full) || full.Code != contract.CodeResourceExhausted {
		t.Errorf("one more job: %v", err)
	}
	hire(t, plain, 1, say)
	for _, ref := range refs {
		if job := await(t, plain, ref); job.State != contract.JobSucceeded {
			t.Errorf("got %+v", job)
		}
	}
}

// TestProvisionKeepsNewer has a newer release provision before.
func TestProvisionKeepsNewer(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	js := jetStream(t, nc)
	s := openWith(t, nc, jobs.Config{Queue: 10})
	wantAll(t, provision(t, s), jobs.Missing)
	newer := config(t, js, contract.WorkStream(echo.Service))
	newer.Description, newer.MaxMsgs, newer.Metadata["heddle.plan"] = "of tomorrow", 77, "99"
	if _, err := js.UpdateStream(t.Context(), newer); err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteConsumer(t.Context(), newer.Name, "high-default"); err != nil {
		t.Fatal(err)
	}
	found := provision(t, s)
	for name, verdict := range map[string]jobs.Verdict{
		newer.Name: jobs.Newer, newer.Name + "/normal-default": jobs.Newer, newer.Name + "/high-default": jobs.Missing,
	} {
		if f := found[name]; f.Verdict != verdict || f.Differences != nil {
			t.Errorf("%s: %+v, want %s", name, f, verdict)
		}
	}
	if now := config(t, js, newer.Name); now.MaxMsgs != 77 || now.Description != "of tomorrow" {
		t.Errorf("the stream is %+v", now)
	}
}

// TestProvisionRaisesOlder has a release that knew of no revisions make a stream.
func TestProvisionRaisesOlder(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	js := jetStream(t, nc)
	s := open(t, nc)
	old := jobs.Plan(jobs.Config{}, echo.Service)[0].StreamConfig
	old.Metadata, old.Duplicates = nil, time.Minute
	if _, err := js.CreateStream(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	want := []jobs.Difference{{"heddle.plan", "0", "1"}, {"duplicate_window", "60000000000", "120000000000"}}
	if f := provision(t, s)[old.Name]; f.Verdict != jobs.Different || !slices.Equal(f.Differences, want) {
		t.Errorf("got %+v, want %v", f, want)
	}
	wantAll(t, provision(t, s), jobs.Same)
}

// TestProvisionTogether has several provision, and instances come, at the same time.
func TestProvisionTogether(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t)
	s := openWith(t, brokertest.Connect(t, b), jobs.Config{Queue: 7})
	var all sync.WaitGroup
	for range 4 {
		instance := open(t, brokertest.Connect(t, b))
		all.Go(func() {
			if err := instance.Prepare(t.Context(), echo.Service); err != nil {
				t.Errorf("instance: %v", err)
			}
		})
		all.Go(func() {
			if _, err := s.Provision(t.Context(), echo.Service); err != nil {
				t.Errorf("provision: %v", err)
			}
		})
	}
	all.Wait()
	wantAll(t, provision(t, s), jobs.Same)
}

func TestProvisionRefused(t *testing.T) {
	t.Parallel()
	nc := brokertest.Connect(t, brokertest.Start(t))
	for name, c := range map[string]struct {
		cfg  jobs.Config
		says string
	}{
		"replicas of one node": {jobs.Config{Replicas: 3}, "one replica"},
		"no room":              {jobs.Config{QueueBytes: 1 << 60}, "fewer bytes"},
	} {
		_, err := openWith(t, nc, c.cfg).Provision(t.Context(), echo.Service)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestProvisionWaits begins before the broker has JetStream, and then asks one that never
// has it.
func TestProvisionWaits(t *testing.T) {
	t.Parallel()
	b := brokertest.ListenPlain(t)
	back := make(chan struct{}, 1)
	s := open(t, b.Connect(nats.ReconnectHandler(func(*nats.Conn) { back <- struct{}{} })))
	short, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var e *contract.Error
	if _, err := s.Provision(short, echo.Service); !errors.As(err, &e) || e.Code != contract.CodeUnavailable {
		t.Errorf("without JetStream: %v", err)
	}
	done := make(chan map[string]jobs.Finding)
	go func() { done <- provision(t, s) }()
	b.Stop()
	b.Equip()
	b.Start()
	<-back
	wantAll(t, <-done, jobs.Missing)
}

// TestProvisionReplicas asks for replicas of what is not there, and of what an instance
// has made without.
func TestProvisionReplicas(t *testing.T) {
	t.Parallel()
	nc := brokertest.StartCluster(t).Connect(0)
	js := jetStream(t, nc)
	instance, replicated := open(t, nc), openWith(t, nc, jobs.Config{Replicas: 3})
	wantAll(t, provision(t, replicated), jobs.Missing)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := instance.Prepare(ctx, echo.Service, "other"); err != nil {
		t.Fatal(err)
	}
	found, err := replicated.Provision(ctx, "other")
	if err != nil {
		t.Fatal(err)
	}
	work := contract.WorkStream("other")
	want := []jobs.Difference{{"num_replicas", "1", "3"}}
	if f := byName(found)[work]; f.Verdict != jobs.Different || !slices.Equal(f.Differences, want) {
		t.Errorf("got %+v, want %v", f, want)
	}
	wantAll(t, provision(t, instance), jobs.Same) // it asks for no number of replicas
	for _, stream := range []string{work, contract.WorkStream(echo.Service), "KV_" + contract.JobBucket} {
		if now := config(t, js, stream); now.Replicas != 3 {
			t.Errorf("%s has %d replicas, want 3", stream, now.Replicas)
		}
	}
}
