package telemetry

import (
	"context"
	"fmt"

	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// startTraces makes the tracer. Without export it is a no-op: an SDK that samples
// nothing still costs 7 µs and 2 kB for each request.
func (t *Telemetry) startTraces(ctx context.Context, res *resource.Resource, cfg Config, export bool) error {
	var provider trace.TracerProvider = noop.NewTracerProvider()
	if export {
		exporter, err := autoexport.NewSpanExporter(ctx)
		if err != nil {
			return fmt.Errorf("export traces as OTEL_TRACES_EXPORTER and OTEL_EXPORTER_OTLP_* say: %w", err)
		}
		// The provider reads OTEL_TRACES_SAMPLER and OTEL_BSP_* itself.
		sdk := sdktrace.NewTracerProvider(sdktrace.WithResource(res), sdktrace.WithBatcher(exporter))
		t.onShutdown(sdk.Shutdown)
		provider = sdk
	}
	t.Tracing = export
	t.Tracer = provider.Tracer(scope,
		trace.WithInstrumentationVersion(cfg.Version), trace.WithSchemaURL(SchemaURL))
	return nil
}
