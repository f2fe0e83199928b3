package jobs_test

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/jobs"
)

// documentedSubjects returns the subjects of the tables about schedules in
// docs/permissions.md: those to publish and those to subscribe to.
func documentedSubjects(t *testing.T) (publish, subscribe []string) {
	t.Helper()
	page, err := os.ReadFile("../docs/permissions.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "Who serves [schedules]")
	section, _, ended := strings.Cut(section, "Whoever may publish")
	if !found || !ended {
		t.Fatal("docs/permissions.md has no section about schedules")
	}
	into := &publish
	for line := range strings.Lines(section) {
		if strings.HasPrefix(line, "| may subscribe") {
			into = &subscribe
		}
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		for _, subject := range regexp.MustCompile("`([^`]*)`").FindAllStringSubmatch(strings.Split(line, "|")[1], -1) {
			if subject[1] != contract.JobsGroup {
				*into = append(*into, strings.ReplaceAll(subject[1], "<service>", echo.Service))
			}
		}
	}
	return publish, subscribe
}

// TestSchedulePermissions serves schedules with what the documentation lists, and besides
// only inboxes and the subscriptions to other verbs: nothing is refused.
func TestSchedulePermissions(t *testing.T) {
	t.Parallel()
	publish, subscribe := documentedSubjects(t)
	least := &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: append(publish, "_INBOX.>")},
		Subscribe: &server.SubjectPermission{Allow: append(subscribe, "_INBOX.jobs.>", contract.JobsSubject(">"))},
	}
	b, err := server.NewServer(&server.Options{
		JetStream: true, StoreDir: t.TempDir(), DontListen: true, NoSigs: true, NoLog: true,
		Users: []*server.User{{Username: "jobs", Password: "secret", Permissions: least}, {Username: "all", Password: "secret"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Start()
	t.Cleanup(func() {
		b.Shutdown()
		b.WaitForShutdown()
	})
	refused := make(chan string, 100)
	as := func(user string) *nats.Conn {
		nc, err := nats.Connect("", nats.InProcessServer(b), nats.UserInfo(user, "secret"), nats.CustomInboxPrefix("_INBOX."+user),
			nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err.Error() }))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		return nc
	}
	nc := as("all")
	all := open(t, nc)
	if err := all.Prepare(t.Context(), echo.Service); err != nil {
		t.Fatal(err)
	}
	few := open(t, as("jobs"))
	service, err := jobs.Serve(context.WithoutCancel(t.Context()), few, []contract.Descriptor{echo})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(service.Close)
	once, _ := schedule(t, few, contract.Timing{At: time.Now().Add(time.Second)}, contract.JobOptions{})
	_, ref := schedule(t, few, contract.Timing{Cron: "@daily"}, contract.JobOptions{})
	if _, err := few.GetSchedule(t.Context(), ref); err != nil {
		t.Error(err)
	}
	if list, err := few.ListSchedules(t.Context(), contract.ScheduleQuery{}); err != nil || len(list.Schedules) != 2 {
		t.Errorf("listed %+v, %v", list, err)
	}
	if err := few.DeleteSchedule(t.Context(), ref); err != nil {
		t.Error(err)
	}
	brokertest.Await(t, "the schedule is a job", func() bool {
		_, err := all.Get(t.Context(), refOf(t, once.ID))
		return err == nil && dueMessages(t, nc) == 0
	})
	for len(refused) > 0 {
		t.Error(<-refused)
	}
}
