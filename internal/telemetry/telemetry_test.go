package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"github.com/seed-649d3d38/heddle/internal/telemetry"
)

// The tests in this file set the environment, which all of a process shares: they are
// not parallel.

// setEnv sets the OTEL_* variables to these and no others for one test.
func setEnv(t *testing.T, vars map[string]string) {
	t.Helper()
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "OTEL_") {
			t.Setenv(name, "")
		}
	}
	for name, value := range vars {
		t.Setenv(name, value)
	}
}

// start starts telemetry for a service called weaver that logs to out.
func start(t *testing.T, out io.Writer) *telemetry.Telemetry {
	t.Helper()
	tel, err := telemetry.Start(t.Context(), telemetry.Config{Service: "weaver", Version: "1.2.3", LogOutput: out})
	if err != nil {
		t.Fatal(err)
	}
	return tel
}

// report makes one span, one figure and one log line and returns the span.
func report(t *testing.T, tel *telemetry.Telemetry) trace.SpanContext {
	t.Helper()
	ctx, span := tel.Tracer.Start(t.Context(), "weave")
	defer span.End()
	picks, err := tel.Meter.Int64Counter("heddle.picks")
	if err != nil {
		t.Fatal(err)
	}
	picks.Add(ctx, 3)
	tel.Log.InfoContext(ctx, "woven")
	tel.Log.DebugContext(ctx, "below the level")
	return span.SpanContext()
}

func TestExport(t *testing.T) {
	const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"
	all := []string{"traces", "metrics", "logs"}
	for name, test := range map[string]struct {
		vars map[string]string // URL stands for the collector's address
		want []string
	}{
		"nothing by default":    {nil, nil},
		"all to the endpoint":   {map[string]string{endpoint: "URL"}, all},
		"endpoint of traces":    {map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "URL/v1/traces"}, []string{"traces"}},
		"endpoint of metrics":   {map[string]string{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "URL/v1/metrics"}, []string{"metrics"}},
		"endpoint of logs":      {map[string]string{"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "URL/v1/logs"}, []string{"logs"}},
		"disabled":              {map[string]string{endpoint: "URL", "OTEL_SDK_DISABLED": "true"}, nil},
		"not disabled":          {map[string]string{endpoint: "URL", "OTEL_SDK_DISABLED": "false"}, all},
		"no traces":             {map[string]string{endpoint: "URL", "OTEL_TRACES_EXPORTER": "none"}, []string{"metrics", "logs"}},
		"no metrics, no logs":   {map[string]string{endpoint: "URL", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}, []string{"traces"}},
		"none without endpoint": {map[string]string{"OTEL_TRACES_EXPORTER": "none"}, nil},
		"sampled away":          {map[string]string{endpoint: "URL", "OTEL_TRACES_SAMPLER": "always_off"}, []string{"metrics", "logs"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCollector(t)
			vars := map[string]string{}
			for name, value := range test.vars {
				vars[name] = strings.Replace(value, "URL", c.URL, 1)
			}
			setEnv(t, vars)
			tel := start(t, io.Discard)
			span := report(t, tel)
			if err := tel.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := c.received(); !slices.Equal(got, test.want) {
				t.Fatalf("received %v, want %v", got, test.want)
			}
			if test.want != nil && !slices.Equal(c.services(), []string{"weaver"}) {
				t.Errorf("services = %v, want weaver", c.services())
			}
			if slices.Equal(test.want, all) {
				checkReport(t, c, span)
			}
			if tel.Tracing != (slices.Contains(test.want, "traces") || name == "sampled away") {
				t.Errorf("Tracing = %v", tel.Tracing)
			}
		})
	}
}

// checkReport checks the details of what report made.
func checkReport(t *testing.T, c *collector, span trace.SpanContext) {
	t.Helper()
	id := span.TraceID()
	if c.spans["weave"] != string(id[:]) {
		t.Errorf("spans = %q, want weave in trace %v", c.spans, id)
	}
	if !slices.Contains(c.metrics, "heddle.picks") {
		t.Errorf("metrics = %v, want heddle.picks", c.metrics)
	}
	if len(c.logs) != 1 || c.logs["woven"] != string(id[:]) {
		t.Errorf("logs = %q, want woven in trace %v and nothing below the level", c.logs, id)
	}
}

func TestVariablesNameTheService(t *testing.T) {
	c := newCollector(t)
	setEnv(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_SERVICE_NAME": "loom"})
	tel := start(t, io.Discard)
	report(t, tel)
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := c.services(); !slices.Equal(got, []string{"loom"}) {
		t.Errorf("services = %v, want loom", got)
	}
}

func TestStartFails(t *testing.T) {
	for name, value := range map[string]string{
		"OTEL_TRACES_EXPORTER":        "pigeon",
		"OTEL_METRICS_EXPORTER":       "pigeon",
		"OTEL_LOGS_EXPORTER":          "pigeon",
		"OTEL_RESOURCE_ATTRIBUTES":    "no-value",
		"OTEL_EXPORTER_OTLP_PROTOCOL": "pigeon",
	} {
		t.Run(name, func(t *testing.T) {
			setEnv(t, map[string]string{name: value, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})
			_, err := telemetry.Start(t.Context(), telemetry.Config{})
			if err == nil || !strings.Contains(err.Error(), "OTEL_") {
				t.Errorf("error = %v, want one that names the variable", err)
			}
		})
	}
}

// TestCollectorDown checks that a process can end while nobody takes its reports.
func TestCollectorDown(t *testing.T) {
	setEnv(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})
	tel := start(t, io.Discard)
	report(t, tel)
	if err := tel.Shutdown(t.Context()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("error = %v, want connection refused", err)
	}
}

func TestMetricsHandler(t *testing.T) {
	setEnv(t, nil)
	tel := start(t, io.Discard)
	report(t, tel)
	wait, err := tel.Meter.Float64Histogram("heddle.queue.wait")
	if err != nil {
		t.Fatal(err)
	}
	wait.Record(t.Context(), 0.25)
	page := scrape(tel)
	for _, want := range []string{
		"heddle_picks_total 3\n",
		"heddle_queue_wait_sum 0.25\n",
		`target_info{`, `service_name="weaver"`, `service_version="1.2.3"`,
		"\ngo_goroutines ",
		"\nprocess_start_time_seconds ",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("metrics lack %q", want)
		}
	}
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestMetricsAreApart checks that two parts of one process do not share figures.
func TestMetricsAreApart(t *testing.T) {
	setEnv(t, nil)
	one, other := start(t, io.Discard), start(t, io.Discard)
	report(t, one)
	if page := scrape(other); strings.Contains(page, "heddle_picks") {
		t.Errorf("figures of one are seen in the other:\n%s", page)
	}
	if err := errors.Join(one.Shutdown(t.Context()), other.Shutdown(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func scrape(tel *telemetry.Telemetry) string {
	w := httptest.NewRecorder()
	tel.MetricsHandler().ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), "GET", "/metrics", nil))
	return w.Body.String()
}

func TestExportFailureIsLogged(t *testing.T) {
	setEnv(t, map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1/v1/traces", "OTEL_BSP_SCHEDULE_DELAY": "1"})
	out := newSignalWriter("telemetry export failed")
	tel := start(t, out)
	report(t, tel)
	<-out.seen
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Errorf("shutdown with nothing left to send: %v", err)
	}
}

// signalWriter tells when a text has been written in one piece.
type signalWriter struct {
	text []byte
	seen chan struct{}
}

func newSignalWriter(text string) *signalWriter {
	return &signalWriter{text: []byte(text), seen: make(chan struct{}, 1)}
}

func (w *signalWriter) Write(p []byte) (int, error) {
	if bytes.Contains(p, w.text) {
		select {
		case w.seen <- struct{}{}:
		default:
		}
	}
	return len(p), nil
}
