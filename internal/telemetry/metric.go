package telemetry

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
)

// startMetrics makes the meter, with a Prometheus reader on a registry of its own and,
// when metrics are exported, a second reader that pushes them. The figures of the Go
// runtime and the process are for Prometheus only.
func (t *Telemetry) startMetrics(ctx context.Context, res *resource.Resource, cfg Config, export bool) error {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	scraped, err := otelprometheus.New(
		otelprometheus.WithRegisterer(registry),
		otelprometheus.WithTranslationStrategy(otlptranslator.UnderscoreEscapingWithSuffixes),
		// All our metrics have the one scope; three labels on every series would say so.
		otelprometheus.WithoutScopeInfo(),
	)
	if err != nil {
		return fmt.Errorf("serve metrics: %w", err)
	}
	opts := []sdkmetric.Option{sdkmetric.WithResource(res), sdkmetric.WithReader(scraped)}
	if export {
		pushed, err := autoexport.NewMetricReader(ctx)
		if err != nil {
			return fmt.Errorf("export metrics as OTEL_METRICS_EXPORTER and OTEL_EXPORTER_OTLP_* say: %w", err)
		}
		opts = append(opts, sdkmetric.WithReader(pushed))
	}
	provider := sdkmetric.NewMeterProvider(opts...)
	t.onShutdown(provider.Shutdown)
	t.Meter = provider.Meter(scope,
		metric.WithInstrumentationVersion(cfg.Version), metric.WithSchemaURL(SchemaURL))
	t.metrics = promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		Registry:          registry,
		EnableOpenMetrics: true, // the format that can carry exemplars
	})
	return nil
}
