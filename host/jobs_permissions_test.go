package host_test

import (
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/jobs"
)

// storeAs opens the jobs with the permissions of a user.
func storeAs(t *testing.T, nc *nats.Conn) *jobs.Store {
	t.Helper()
	s, err := jobs.Open(nc, jobs.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// TestLeastPermissionsForJobs runs jobs with the permissions that the documentation lists:
// everything works, and nothing is refused.
func TestLeastPermissionsForJobs(t *testing.T) {
	t.Parallel()
	s := documentedIn(t, "```conf jobs\n")
	worker, refusedWorker := as(t, s, "echo")
	gateway, refusedGateway := as(t, s, "gateway")
	publisher, refusedPublisher := as(t, s, "publisher")
	store := storeAs(t, gateway)
	service, err := jobs.Serve(t.Context(), store, []contract.Descriptor{echo.Descriptor()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(service.Close)
	site := openSite(t, worker, host.Config{Slots: 1, Jobs: storeAs(t, worker)})
	finish := func(ref contract.JobRef, state contract.JobState) {
		t.Helper()
		if job := ended(t, store, ref); job.State != state {
			t.Errorf("job %s: %+v", ref.ID(), job)
		}
	}

	for _, subject := range []string{contract.SubmitSubject("echo", "say"), "heddle.v1.t.default.work.echo.normal.say.byhand"} {
		if _, err := publisher.Request(subject, []byte(`{"text":"1"}`), patience); err != nil {
			t.Fatalf("%s: %v", subject, err)
		}
		site.begins()
		site.end <- struct{}{}
	}
	finish(contract.JobRef{Tenant: "default", Service: "echo", Operation: "say", Token: "byhand"}, contract.JobSucceeded)
	ref := submitEcho(t, store, echo.Descriptor(), "2")
	site.begins()
	if _, err := store.Cancel(t.Context(), ref); err != nil {
		t.Error(err)
	}
	finish(ref, contract.JobCanceled)
	site.free()
	if err := store.Pause(t.Context(), "echo"); err != nil {
		t.Error(err)
	}
	if _, err := store.Retry(t.Context(), ref); err != nil {
		t.Error(err)
	}
	if _, err := store.Queues(t.Context(), "echo"); err != nil {
		t.Error(err)
	}
	if err := store.Resume(t.Context(), "echo"); err != nil {
		t.Error(err)
	}
	finish(ref, contract.JobSucceeded)
	for _, state := range append(contract.JobStates(), "") {
		if _, err := store.List(t.Context(), contract.JobQuery{State: state}, "echo"); err != nil {
			t.Errorf("list %s: %v", state, err)
		}
	}
	if err := store.Heal(t.Context(), "echo"); err != nil {
		t.Error(err)
	}
	site.drain(t.Context())
	for user, refused := range map[string]chan string{"service": refusedWorker, "gateway": refusedGateway, "publisher": refusedPublisher} {
		for len(refused) > 0 {
			t.Errorf("%s: %s", user, <-refused)
		}
	}
}

// TestOthersAreDeniedForJobs has the users try what is not theirs.
func TestOthersAreDeniedForJobs(t *testing.T) {
	t.Parallel()
	for user, c := range map[string]struct{ publish, subscribe []string }{
		"echo": {
			publish: []string{
				"heddle.v1.t.default.work.echo.normal.say.a", "$KV.HEDDLE_JOBS.default.sqrt.root.a", "$KV.HEDDLE_RESULTS.default.sqrt.root.a.1.0", "$KV.HEDDLE_UPKEEP.records",
				"$JS.API.CONSUMER.MSG.NEXT.HEDDLE_WORK_sqrt.normal-default", "$JS.ACK.HEDDLE_WORK_sqrt.normal-default.1.1.1.1.0", "$JS.API.STREAM.DELETE.HEDDLE_WORK_echo",
				"$JS.API.STREAM.MSG.DELETE.HEDDLE_WORK_echo", "$JS.API.CONSUMER.PAUSE.HEDDLE_WORK_echo.normal-default", "$JS.API.DIRECT.GET.KV_HEDDLE_JOBS.$KV.HEDDLE_JOBS.default.sqrt.root.a",
				"$JS.API.DIRECT.GET.KV_HEDDLE_JOBS",
			},
			subscribe: []string{"heddle.v1.jobs.>", "heddle.v1.t.*.event.>", "heddle.v1.t.*.canceled.>"},
		},
		"gateway": {
			publish:   []string{"$KV.HEDDLE_RESULTS.default.echo.say.a.1.0", "$JS.ACK.HEDDLE_WORK_echo.normal-default.1.1.1.1.0", "$JS.API.STREAM.DELETE.HEDDLE_WORK_echo", "$JS.API.STREAM.PURGE.HEDDLE_WORK_echo"},
			subscribe: []string{"heddle.v1.jobs.>", "_INBOX.>"},
		},
		"publisher": {
			publish: []string{
				"$KV.HEDDLE_JOBS.default.echo.say.a", "heddle.v1.t.other.work.echo.normal.say.a", "heddle.v1.t.default.work.sqrt.normal.root.a", "$JS.API.STREAM.INFO.HEDDLE_WORK_echo",
				"$JS.API.DIRECT.GET.KV_HEDDLE_JOBS", "heddle.v1.t.default.canceled.echo.say.a", "heddle.v1.jobs.pause", "heddle.v1.jobs.resume",
			},
			subscribe: []string{"heddle.v1.t.*.event.>", "_INBOX.>"},
		},
	} {
		t.Run(user, func(t *testing.T) {
			t.Parallel()
			nc, refused := as(t, documentedIn(t, "```conf jobs\n"), user)
			for _, subject := range c.publish {
				if err := nc.Publish(subject, nil); err != nil {
					t.Fatal(err)
				}
				wantRefused(t, refused, subject)
			}
			for _, subject := range c.subscribe {
				if _, err := nc.SubscribeSync(subject); err != nil {
					t.Fatal(err)
				}
				wantRefused(t, refused, subject)
			}
		})
	}
}
