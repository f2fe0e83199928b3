package jobs_test

import (
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/jobs"
)

// TestProvisionPermissions provisions as a user who may do what docs/permissions.md lists
// and nothing else.
func TestProvisionPermissions(t *testing.T) {
	t.Parallel()
	var publish []string
	for _, s := range jobs.Plan(jobs.Config{}, echo.Service) {
		publish = append(publish,
			"$JS.API.STREAM.INFO."+s.Name, "$JS.API.STREAM.CREATE."+s.Name, "$JS.API.STREAM.UPDATE."+s.Name,
			"$JS.API.CONSUMER.INFO."+s.Name+".>", "$JS.API.CONSUMER.CREATE."+s.Name+".>")
	}
	s, err := server.NewServer(&server.Options{
		DontListen: true, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir(),
		Users: []*server.User{{Username: "provision", Password: "secret", Permissions: &server.Permissions{
			Publish:   &server.SubjectPermission{Allow: publish},
			Subscribe: &server.SubjectPermission{Allow: []string{"_INBOX.heddle.>"}},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(patience) {
		t.Fatal("the broker takes no connections")
	}
	refused := make(chan error, 64)
	nc, err := nats.Connect("", nats.InProcessServer(s), nats.UserInfo("provision", "secret"), nats.CustomInboxPrefix("_INBOX.heddle"),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	wantAll(t, provision(t, open(t, nc)), jobs.Missing)
	if f := provision(t, openWith(t, nc, jobs.Config{Queue: 5}))["HEDDLE_WORK_echo"]; f.Verdict != jobs.Different {
		t.Errorf("got %+v", f)
	}
	for len(refused) > 0 {
		t.Error(<-refused)
	}
}
