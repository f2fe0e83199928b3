package broker

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// TestPortTakenMeanwhile starts the server on a port that was free when it was tried:
// the server reports that with a fatal log line.
func TestPortTakenMeanwhile(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	opts := &server.Options{
		Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port,
		JetStream: true, StoreDir: t.TempDir(), NoSigs: true,
	}
	err = new(Broker).start(t.Context(), opts, slog.New(slog.DiscardHandler))
	if e, ok := errors.AsType[*ListenError](err); !ok || e.Addr != l.Addr().String() {
		t.Errorf("error = %v, want a ListenError for %v", err, l.Addr())
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("error = %v, want address in use", err)
	}
}

func TestLoggerLevels(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		log  func(*logger, string, ...any)
		want string
	}{
		"error":  {(*logger).Errorf, "level=ERROR"},
		"warn":   {(*logger).Warnf, "level=WARN"},
		"notice": {(*logger).Noticef, "level=DEBUG"},
		"debug":  {(*logger).Debugf, "level=DEBUG"},
		"trace":  {(*logger).Tracef, "level=DEBUG"},
	} {
		var out bytes.Buffer
		l := newLogger(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
		test.log(l, "%d threads", 3)
		if got := out.String(); !strings.Contains(got, test.want) || !strings.Contains(got, `msg="3 threads"`) {
			t.Errorf("%s: logged %q, want %s", name, got, test.want)
		}
	}
}

func TestLoggerKeepsFirstFatal(t *testing.T) {
	t.Parallel()
	l := newLogger(slog.New(slog.DiscardHandler))
	if err := l.fatal(); err != nil {
		t.Errorf("fatal before any = %v", err)
	}
	l.Fatalf("cannot %s", "weave")
	l.Fatalf("then: %v", io.EOF)
	if err := l.fatal(); err == nil || err.Error() != "cannot weave" {
		t.Errorf("fatal = %v, want the first line", err)
	}
}
