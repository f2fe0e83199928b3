package broker_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-649d3d38/heddle/internal/broker"
)

// start starts a broker that is shut down when the test ends.
func start(t *testing.T, cfg broker.Config) *broker.Broker {
	t.Helper()
	b, err := broker.Start(t.Context(), cfg)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(b.Shutdown)
	return b
}

// connect connects to the URL; the connection is closed when the test ends.
func connect(t *testing.T, url string, opts ...nats.Option) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(url, opts...)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func newJetStream(t *testing.T, nc *nats.Conn) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func TestInProcessOnly(t *testing.T) {
	t.Parallel()
	b := start(t, broker.Config{})
	if url := b.URL(); url != "" {
		t.Errorf("URL = %q, want none", url)
	}
	nc := connect(t, "", b.InProcess())
	if got, want := nc.MaxPayload(), int64(1<<20); got != want {
		t.Errorf("max payload = %d, want %d", got, want)
	}
	if _, err := newJetStream(t, nc).AccountInfo(t.Context()); err == nil {
		t.Error("JetStream is on without a folder")
	}
}

func TestListens(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"127.0.0.1", ""} {
		b := start(t, broker.Config{Listen: net.JoinHostPort(host, "0")})
		if !strings.HasPrefix(b.URL(), "nats://127.0.0.1:") {
			t.Errorf("URL = %q, want a loopback address", b.URL())
		}
		if nc := connect(t, b.URL()); !nc.IsConnected() {
			t.Errorf("no connection to %s", b.URL())
		}
	}
}

func TestCannotListen(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	other := start(t, broker.Config{Listen: "127.0.0.1:0"})
	tests := map[string]struct {
		address string
		taken   bool
	}{
		"taken":                {l.Addr().String(), true},
		"taken by a broker":    {strings.TrimPrefix(other.URL(), "nats://"), true},
		"no port":              {"127.0.0.1", false},
		"port out of range":    {"127.0.0.1:99999", false},
		"address of elsewhere": {"192.0.2.1:0", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := broker.Start(t.Context(), broker.Config{Listen: test.address, Dir: t.TempDir()})
			e, ok := errors.AsType[*broker.ListenError](err)
			if !ok || e.Addr != test.address || !strings.Contains(err.Error(), test.address) {
				t.Errorf("error = %v, want a ListenError for %s", err, test.address)
			}
			if got := errors.Is(err, syscall.EADDRINUSE); got != test.taken {
				t.Errorf("address in use = %v, want %v: %v", got, test.taken, err)
			}
		})
	}
}

func TestFolderInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, broker.Config{Dir: dir})
	_, err := broker.Start(t.Context(), broker.Config{Dir: dir})
	e, ok := errors.AsType[*broker.StoreError](err)
	if !ok || e.Dir != dir || !errors.Is(err, broker.ErrInUse) {
		t.Fatalf("error = %v, want a StoreError for %s that wraps ErrInUse", err, dir)
	}
	first.Shutdown()
	start(t, broker.Config{Dir: dir})
}

func TestFolderUnusable(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	blocked := t.TempDir()
	if err := os.WriteFile(filepath.Join(blocked, "jetstream"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{
		"is a file":                  file,
		"below a file":               filepath.Join(file, "data"),
		"refused by the server only": blocked,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := broker.Start(t.Context(), broker.Config{Dir: dir})
			if e, ok := errors.AsType[*broker.StoreError](err); !ok || e.Dir != dir {
				t.Errorf("error = %v, want a StoreError for %s", err, dir)
			}
		})
	}
	if err := os.Remove(filepath.Join(blocked, "jetstream")); err != nil {
		t.Fatal(err)
	}
	start(t, broker.Config{Dir: blocked}) // the failed start has left no lock
}

func TestStreamsSurvive(t *testing.T) {
	t.Parallel()
	cfg := broker.Config{Dir: filepath.Join(t.TempDir(), "not", "there", "yet")}
	b := start(t, cfg)
	js := newJetStream(t, connect(t, "", b.InProcess()))
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "KEPT", Subjects: []string{"kept"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "kept", []byte("thread")); err != nil {
		t.Fatal(err)
	}
	b.Shutdown()
	b.Shutdown() // does nothing

	js = newJetStream(t, connect(t, "", start(t, cfg).InProcess()))
	stream, err := js.Stream(t.Context(), "KEPT")
	if err != nil {
		t.Fatal(err)
	}
	m, err := stream.GetLastMsgForSubject(t.Context(), "kept")
	if err != nil || string(m.Data) != "thread" {
		t.Errorf("message = %v, %v, want the one stored before", m, err)
	}
}

func TestCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, cfg := range map[string]broker.Config{
		"listening":  {Listen: "127.0.0.1:0"},
		"in process": {Dir: t.TempDir()},
	} {
		if _, err := broker.Start(ctx, cfg); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error = %v, want context canceled", name, err)
		}
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		level slog.Level
		want  bool
	}{{slog.LevelInfo, false}, {slog.LevelDebug, true}} {
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: test.level}))
		start(t, broker.Config{Log: log}).Shutdown()
		if got := strings.Contains(out.String(), "Starting nats-server"); got != test.want {
			t.Errorf("level %v: banner logged = %v, want %v:\n%s", test.level, got, test.want, &out)
		}
		if !test.want && out.Len() > 0 {
			t.Errorf("level %v: a start without trouble logs\n%s", test.level, &out)
		}
	}
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		s, err := broker.Start(b.Context(), broker.Config{Listen: "127.0.0.1:0", Dir: b.TempDir()})
		if err != nil {
			b.Fatal(err)
		}
		s.Shutdown()
	}
}
