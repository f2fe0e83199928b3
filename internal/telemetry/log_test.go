package telemetry_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"github.com/seed-649d3d38/heddle/internal/telemetry"
)

func newLog(t *testing.T, cfg telemetry.Config) (*slog.Logger, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	cfg.LogOutput = &out
	tel, err := telemetry.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tel.Shutdown(t.Context()) })
	return tel.Log, &out
}

func TestLogCarriesTrace(t *testing.T) {
	setEnv(t, nil)
	log, out := newLog(t, telemetry.Config{LogFormat: telemetry.FormatJSON})
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}})
	ctx := trace.ContextWithSpanContext(t.Context(), span)
	log.With("service", "weaver").InfoContext(ctx, "woven", "picks", 3)
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"msg": "woven", "level": "INFO", "service": "weaver", "picks": 3.0,
		"trace_id": span.TraceID().String(), "span_id": span.SpanID().String(),
	} {
		if line[key] != want {
			t.Errorf("%s = %v, want %v", key, line[key], want)
		}
	}
}

func TestLogWithoutSpan(t *testing.T) {
	setEnv(t, nil)
	log, out := newLog(t, telemetry.Config{})
	log.InfoContext(t.Context(), "woven")
	if got := out.String(); !strings.Contains(got, "msg=woven") || strings.Contains(got, "trace_id") {
		t.Errorf("line = %q, want text without trace_id", got)
	}
}

func TestLogLevel(t *testing.T) {
	setEnv(t, nil)
	log, out := newLog(t, telemetry.Config{LogLevel: slog.LevelWarn})
	log.Info("quiet")
	log.WithGroup("loom").Warn("loud", "picks", 3)
	if got := out.String(); strings.Contains(got, "quiet") || !strings.Contains(got, "loom.picks=3") {
		t.Errorf("log = %q, want the warning only", got)
	}
}

func TestLogFormatUnknown(t *testing.T) {
	setEnv(t, nil)
	var out bytes.Buffer
	_, err := telemetry.Start(t.Context(), telemetry.Config{LogFormat: "xml", LogOutput: &out})
	if err == nil || !strings.Contains(err.Error(), "xml") {
		t.Errorf("error = %v, want one that names the format", err)
	}
}
