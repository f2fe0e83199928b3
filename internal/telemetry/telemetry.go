// Package telemetry sets up logs, traces and metrics for one process. It owns every
// OpenTelemetry provider and exporter; the rest of the program sees a logger, a tracer
// and a meter. It instruments nothing by itself.
//
// Metrics are always collected and served for Prometheus. Nothing leaves the process
// unless the standard OTEL_* variables ask for it: an exporter named in
// OTEL_TRACES_EXPORTER, OTEL_METRICS_EXPORTER or OTEL_LOGS_EXPORTER, or an OTLP
// endpoint in OTEL_EXPORTER_OTLP_ENDPOINT or its form for one signal.
//
//	tel, err := telemetry.Start(ctx, telemetry.Config{Service: "fibonacci", Version: "1.0.0", LogOutput: os.Stderr})
//	if err != nil {
//		return err
//	}
//	defer tel.Shutdown(ctx)
//	tel.Log.InfoContext(ctx, "ready")
package telemetry

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"
)

// scope is the name under which all spans, metrics and log records are reported.
const scope = "github.com/seed-649d3d38/heddle"

// Config says what a process calls itself and how it logs.
type Config struct {
	// Service and Version name the program in everything that is exported, unless
	// OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES name it.
	Service, Version string
	// LogFormat is the form of log lines; the zero value is [FormatText].
	LogFormat Format
	// LogLevel is the lowest level that is logged; the zero value is info.
	LogLevel slog.Level
	// LogOutput is where log lines are written; nil means that they are dropped.
	LogOutput io.Writer
}

// Telemetry is what a process reports with. Its fields must not be changed; all of it
// is safe for concurrent use.
type Telemetry struct {
	// Log writes log lines. Lines logged with the context of a span carry its
	// trace_id and span_id.
	Log *slog.Logger
	// Tracer starts spans; they are no-ops unless Tracing is set.
	Tracer trace.Tracer
	// Tracing says whether spans are exported, so that hot paths need not even make
	// the attributes of a span when they are not.
	Tracing bool
	// Meter makes instruments, which are always real.
	Meter metric.Meter
	// Propagator carries the trace context over process borders.
	Propagator propagation.TextMapPropagator

	metrics   http.Handler
	shutdowns []func(context.Context) error
}

// Start sets up telemetry as the configuration and the OTEL_* variables say. It
// contacts no collector. It returns an error for an unknown log format and for
// variables that name an unknown exporter or protocol.
//
// Only if something is exported does it touch a global: the OpenTelemetry SDK reports
// failed exports to a global handler and nowhere else, so that handler is set to log
// to the new logger.
func Start(ctx context.Context, cfg Config) (*Telemetry, error) {
	lines, err := newLineHandler(cfg)
	if err != nil {
		return nil, fmt.Errorf("start telemetry: %w", err)
	}
	t := &Telemetry{Log: slog.New(lines), Tracer: noTracer(), Propagator: propagation.TraceContext{}}
	if err := t.start(ctx, cfg, lines); err != nil {
		return nil, fmt.Errorf("start telemetry: %w", errors.Join(err, t.Shutdown(ctx)))
	}
	return t, nil
}

func (t *Telemetry) start(ctx context.Context, cfg Config, lines slog.Handler) error {
	res, err := newResource(ctx, cfg)
	if err != nil {
		return err
	}
	on := exportsFromEnv()
	if on.any() {
		otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
			slog.New(lines).Warn("telemetry export failed", "error", err)
		}))
	}
	if on.logs {
		if err := t.exportLogs(ctx, res, cfg, lines); err != nil {
			return err
		}
	}
	if on.traces {
		if err := t.exportTraces(ctx, res, cfg); err != nil {
			return err
		}
	}
	var pushed []sdkmetric.Option
	if on.metrics {
		reader, err := newPushReader(ctx)
		if err != nil {
			return err
		}
		pushed = append(pushed, reader)
	}
	return t.startMetrics(res, cfg, pushed...)
}

// newResource describes the process. The variables win over the configuration.
func newResource(ctx context.Context, cfg Config) (*resource.Resource, error) {
	res, err := resource.New(ctx,
		resource.WithSchemaURL(SchemaURL),
		resource.WithAttributes(
			attribute.String(serviceName, cfg.Service),
			attribute.String(serviceVersion, cfg.Version),
			// Without it, the pushed metrics of two instances would be one series.
			attribute.String(serviceInstanceID, rand.Text()),
		),
		resource.WithTelemetrySDK(),
		resource.WithFromEnv(),
	)
	if err != nil {
		return nil, fmt.Errorf("read OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	return res, nil
}

// MetricsHandler serves all metrics, and those of the Go runtime and the process, in
// the Prometheus text and OpenMetrics formats.
func (t *Telemetry) MetricsHandler() http.Handler { return t.metrics }

// Shutdown sends what is left to the collector, if there is one, and stops all
// exporters. When ctx ends it gives up, and what it could not stop ends with the
// process. Spans and instruments do nothing afterwards; the logger goes on. It is
// called once, after the last use of everything else.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	var errs []error
	for _, shutdown := range t.shutdowns {
		errs = append(errs, shutdown(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("shut down telemetry: %w", err)
	}
	return nil
}

// onShutdown adds a step for Shutdown.
func (t *Telemetry) onShutdown(f func(context.Context) error) {
	t.shutdowns = append(t.shutdowns, f)
}
