package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seed-649d3d38/heddle/bench/figure"
	"github.com/seed-649d3d38/heddle/bench/load"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestChoose(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ names, want string }{
		{"", "kit gateway batch cancel lane jobs fair large results start jobs-list celery"},
		{"all", "kit gateway batch cancel lane jobs fair large results start jobs-list celery"},
		{"start", "start"},
		{"gateway kit", "gateway kit"},
		{"kits", ""},
		{"kit all", ""},
	} {
		chosen, err := choose(strings.Fields(c.names))
		var names []string
		for _, m := range chosen {
			names = append(names, m.name)
		}
		if got := strings.Join(names, " "); got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%q chooses %q, %v; want %q", c.names, got, err, c.want)
		}
	}
}

func TestNeutralEnvironment(t *testing.T) {
	t.Parallel()
	got := neutral([]string{"PATH=/bin", "NATS_URL=x", "HEDDLE_HTTP=y", "OTEL_SDK_DISABLED=true", "GOGC=50", "GOMAXPROCS=1", "GOCACHE=/c", "HOME=/h"})
	if want := []string{"PATH=/bin", "GOCACHE=/c", "HOME=/h"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestReadyLines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		read  func(string) (string, bool)
		line  string
		where string
		ok    bool
	}{
		{"own", saysReady, "ready 127.0.0.1:4", "127.0.0.1:4", true},
		{"own, nowhere", saysReady, "ready", "", true},
		{"own, other line", saysReady, "readying", "", false},
		{"log", logsReady, `{"time":"t","level":"INFO","msg":"ready","http":"127.0.0.1:5","broker":"b"}`, "127.0.0.1:5", true},
		{"log of a service", logsReady, `{"msg":"ready","broker":"b"}`, "", true},
		{"log, other line", logsReady, `{"msg":"waiting for the broker"}`, "", false},
		{"log, no JSON", logsReady, "fibonacci: no such flag", "", false},
		{"banner", banner("HTTP"), "  HTTP   http://127.0.0.1:6   gateway", "127.0.0.1:6", true},
		{"banner, other line", banner("HTTP"), "  Admin  http://127.0.0.1:7   health", "", false},
		{"banner, empty line", banner("HTTP"), "", "", false},
	} {
		where, ok := c.read(c.line)
		if ok != c.ok || ok && where != c.where {
			t.Errorf("%s: got %q, %v", c.name, where, ok)
		}
	}
}

func TestUnknownRole(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"actor"}, {"broker", "a", "b"}, {"nats-requests"}} {
		if err := play(t.Context(), args, strings.NewReader(""), io.Discard); err == nil {
			t.Errorf("%q is a role", args)
		}
	}
}

// TestPlayLoad speaks the protocol of a load: a run on each line, a result on each line.
func TestPlayLoad(t *testing.T) {
	t.Parallel()
	send := func(_ context.Context, run load.Run) (load.Result, error) {
		return load.Result{Requests: run.InFlight, Elapsed: run.Duration}, nil
	}
	var out strings.Builder
	in := strings.NewReader(`{"InFlight":3,"Duration":1000}` + "\n" + `{"InFlight":4,"Duration":2000}` + "\n")
	if err := playLoad(t.Context(), in, &out, send); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 || lines[0] != readyWord {
		t.Fatalf("the load says %q", lines)
	}
	for i, want := range []load.Result{{Requests: 3, Elapsed: 1000}, {Requests: 4, Elapsed: 2000}} {
		var got load.Result
		if err := json.Unmarshal([]byte(lines[i+1]), &got); err != nil || got != want {
			t.Errorf("result %d is %s, %v; want %+v", i, lines[i+1], err, want)
		}
	}
}

func TestPlayLoadFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("no answer")
	send := func(context.Context, load.Run) (load.Result, error) { return load.Result{}, broken }
	if err := playLoad(t.Context(), strings.NewReader("{}\n"), io.Discard, send); !errors.Is(err, broken) {
		t.Errorf("a failed run gives %v", err)
	}
	if err := playLoad(t.Context(), strings.NewReader("hello\n"), io.Discard, send); err == nil {
		t.Error("a line that is no run is accepted")
	}
}

func TestPrintVariants(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	b := &bench{out: &out}
	variants := []*variant{
		{name: "bare", perSecond: figure.Series{100, 200}, p50: figure.Series{1, 1}, p99: figure.Series{2, 4}, cpu: []figure.Series{{5, 5}}},
		{name: "ours", perSecond: figure.Series{90, 160}, p50: figure.Series{1, 2}, p99: figure.Series{3, 5}, cpu: []figure.Series{{6, 7}}},
	}
	if err := b.printVariants(variants, "service"); err != nil {
		t.Fatal(err)
	}
	want := "" +
		"variant  requests/s  min–max  ratio    min–max  p50 ms  p99 ms  p99 ratio    min–max  service CPU µs\n" +
		"bare            150  100–200   1.00  1.00–1.00    1.00    3.00       1.00  1.00–1.00             5.0\n" +
		"ours            125   90–160   0.85  0.80–0.90    1.50    4.00       1.38  1.25–1.50             6.5\n" +
		"\n"
	if out.String() != want {
		t.Errorf("got:\n%swant:\n%s", out.String(), want)
	}
}

func TestMilliseconds(t *testing.T) {
	t.Parallel()
	if got := milliseconds(1500 * time.Microsecond); got != 1.5 {
		t.Errorf("1500 µs are %v ms", got)
	}
}
