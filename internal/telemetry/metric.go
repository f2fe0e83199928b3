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

// newPushReader returns the reader that sends metrics to the collector.
func newPushReader(ctx context.Context) (sdkmetric.Option, error) {
	reader, err := autoexport.NewMetricReader(ctx)
	if err != nil {
		return nil, fmt.Errorf("export metrics as OTEL_METRICS_EXPORTER and OTEL_EXPORTER_OTLP_* say: %w", err)
	}
	return sdkmetric.WithReader(reader), nil
}

// startMetrics makes the meter, with a Prometheus reader on a registry of its own and
// the other readers that are given. The figures of the Go runtime and the process are
// for Prometheus only.
func (t *Telemetry) startMetrics(res *resource.Resource, cfg Config, others ...sdkmetric.Option) error {
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
	provider := sdkmetric.NewMeterProvider(
		append(others, sdkmetric.WithResource(res), sdkmetric.WithReader(scraped))...)
	t.onShutdown(provider.Shutdown)
	t.Meter = provider.Meter(scope,
		metric.WithInstrumentationVersion(cfg.Version), metric.WithSchemaURL(SchemaURL))
	t.metrics = promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		Registry:          registry,
		EnableOpenMetrics: true, // the format that can carry exemplars
	})
	return nil
}
