package host_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
)

// documented starts the broker that docs/permissions.md configures.
func documented(t *testing.T) *server.Server {
	t.Helper()
	return documentedIn(t, "```conf\n")
}

// documentedIn starts the broker of the block that begins with a line.
func documentedIn(t *testing.T, begin string) *server.Server {
	t.Helper()
	text, err := os.ReadFile("../docs/permissions.md")
	if err != nil {
		t.Fatal(err)
	}
	_, config, found := strings.Cut(string(text), begin)
	config, _, closed := strings.Cut(config, "```")
	if !found || !closed {
		t.Fatal("docs/permissions.md has no block of configuration")
	}
	path := filepath.Join(t.TempDir(), "nats.conf")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	options, err := server.ProcessConfigFile(path)
	if err != nil {
		t.Fatal(err)
	}
	options.DontListen, options.NoSigs, options.NoLog, options.StoreDir = true, true, true, t.TempDir()
	s, err := server.NewServer(options)
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
	return s
}

// as connects as a user. What the broker refuses comes out of the channel.
func as(t *testing.T, s *server.Server, user string) (nc *nats.Conn, refused chan string) {
	t.Helper()
	refused = make(chan string, 64)
	nc, err := nats.Connect("", nats.InProcessServer(s), nats.UserInfo(user, "secret"), nats.CustomInboxPrefix("_INBOX."+user),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err.Error() }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc, refused
}

// TestLeastPermissions runs two instances and a caller with the permissions that the
// documentation lists: everything works, and nothing is refused.
func TestLeastPermissions(t *testing.T) {
	t.Parallel()
	s := documented(t)
	first, refusedFirst := as(t, s, "echo")
	second, refusedSecond := as(t, s, "echo")
	caller, refusedCaller := as(t, s, "caller")
	leaver, stayer := openSite(t, first, host.Config{Slots: 1}), openSite(t, second, host.Config{Slots: 1})
	c := newCrowd(t, caller)
	c.send(echo.Descriptor(), 4)
	c.send(sing.Descriptor(), 4)
	leaver.begins()
	stayer.begins()
	awaitInstances(t, caller, 2)
	awaitDepth(t, caller, 6)
	drained := leaver.startDrain(t.Context()) // finds its peer
	leaver.free()
	stayer.free()
	if err := drained(); err != nil {
		t.Errorf("drain: %v", err)
	}
	c.await(c.sent)
	stayer.drain(t.Context()) // works the lane off
	c.settle()
	if n := c.count("result"); n != c.sent {
		t.Errorf("%d results, want %d: %v", n, c.sent, c.got)
	}
	for user, refused := range map[string]chan string{"first": refusedFirst, "second": refusedSecond, "caller": refusedCaller} {
		for len(refused) > 0 {
			t.Errorf("%s: %s", user, <-refused)
		}
	}
}

// TestOthersAreDenied has the user of a service, and a caller, try what is not theirs.
func TestOthersAreDenied(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		user      string
		publish   []string
		subscribe []string
	}{
		{"echo", []string{
			contract.LaneSubject("fibonacci", "term"), contract.Subject("echo", "say"), contract.Subject("fibonacci", "term"),
			"$JS.API.CONSUMER.MSG.NEXT." + contract.LaneStream("fibonacci") + ".instances", "$JS.API.STREAM.DELETE." + contract.LaneStream("fibonacci"),
			"$JS.API.STREAM.PURGE." + contract.LaneStream("echo"), "$JS.API.STREAM.UPDATE." + contract.LaneStream("echo"), "$JS.API.STREAM.NAMES",
			"$JS.ACK." + contract.LaneStream("fibonacci") + ".instances.1.1.1.1.0", "$SRV.PING", "$SYS.REQ.USER.INFO", "anything",
		}, []string{
			contract.Subject("fibonacci", "term"), contract.LaneSubject("echo", "say"), contract.LaneSubject("fibonacci", "term"),
			"_INBOX.>", "_INBOX.caller.>", "$JS.API.>", ">", "anything",
		}},
		{"caller", []string{
			contract.LaneSubject("echo", "say"), "$JS.API.STREAM.INFO." + contract.LaneStream("echo"), "_INBOX.echo.1", "anything",
		}, []string{
			contract.Subject("echo", "say"), contract.LaneSubject("echo", "say"), "_INBOX.>", "_INBOX.echo.>", ">",
		}},
	} {
		t.Run(c.user, func(t *testing.T) {
			t.Parallel()
			nc, refused := as(t, documented(t), c.user)
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

// wantRefused waits until the broker refuses the use of the subject.
func wantRefused(t *testing.T, refused <-chan string, subject string) {
	t.Helper()
	select {
	case why := <-refused:
		if !strings.Contains(why, `"`+subject+`"`) {
			t.Errorf("%s: the broker refused %s", subject, why)
		}
	case <-time.After(patience):
		t.Errorf("the broker allows %s", subject)
	}
}
