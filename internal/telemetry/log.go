package telemetry

import (
	"context"
	"fmt"
	"log/slog"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"
)

// Format is the form of log lines.
type Format string

const (
	// FormatText is key=value pairs, for people at a terminal.
	FormatText Format = "text"
	// FormatJSON is one JSON object on each line, for containers.
	FormatJSON Format = "json"
)

// newLineHandler returns the handler that writes log lines.
func newLineHandler(cfg Config) (slog.Handler, error) {
	opts := &slog.HandlerOptions{Level: cfg.LogLevel}
	if cfg.LogOutput == nil {
		return slog.DiscardHandler, nil
	}
	switch cfg.LogFormat {
	case "", FormatText:
		return traceHandler{slog.NewTextHandler(cfg.LogOutput, opts)}, nil
	case FormatJSON:
		return traceHandler{slog.NewJSONHandler(cfg.LogOutput, opts)}, nil
	default:
		return nil, fmt.Errorf("log format %q must be %q or %q", cfg.LogFormat, FormatText, FormatJSON)
	}
}

// exportLogs makes a logger that sends records to the collector as well as writing
// lines.
func (t *Telemetry) exportLogs(ctx context.Context, res *resource.Resource, cfg Config, lines slog.Handler) error {
	exporter, err := autoexport.NewLogExporter(ctx)
	if err != nil {
		return fmt.Errorf("export logs as OTEL_LOGS_EXPORTER and OTEL_EXPORTER_OTLP_* say: %w", err)
	}
	provider := sdklog.NewLoggerProvider(
		sdklog.WithResource(res),
		sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter)),
	)
	t.onShutdown(provider.Shutdown)
	records := otelslog.NewHandler(scope, otelslog.WithLoggerProvider(provider), otelslog.WithVersion(cfg.Version))
	t.Log = slog.New(slog.NewMultiHandler(lines, levelHandler{records, cfg.LogLevel}))
	return nil
}

// traceHandler adds the ids of the context's span to each line.
type traceHandler struct{ slog.Handler }

// Handle writes one line.
func (h traceHandler) Handle(ctx context.Context, r slog.Record) error {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		r = r.Clone()
		r.AddAttrs(slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs keeps the ids on lines with more attributes.
func (h traceHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return traceHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup keeps the ids on lines with a group, inside of it.
func (h traceHandler) WithGroup(name string) slog.Handler {
	return traceHandler{h.Handler.WithGroup(name)}
}

// levelHandler drops records below the level; the bridge to OpenTelemetry has no level
// of its own.
type levelHandler struct {
	slog.Handler
	level slog.Level
}

// Enabled reports whether the level is high enough.
func (h levelHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.level && h.Handler.Enabled(ctx, level)
}

// WithAttrs keeps the level.
func (h levelHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return levelHandler{h.Handler.WithAttrs(attrs), h.level}
}

// WithGroup keeps the level.
func (h levelHandler) WithGroup(name string) slog.Handler {
	return levelHandler{h.Handler.WithGroup(name), h.level}
}
