package telemetry_test

import (
	"slices"
	"testing"

	"go.opentelemetry.io/otel/semconv/v1.43.0/httpconv"
	"go.opentelemetry.io/otel/semconv/v1.43.0/messagingconv"

	"github.com/seed-649d3d38/heddle/internal/telemetry"
)

func TestMetricNamesAreOfTheConventions(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		telemetry.MetricHTTPServerDuration: httpconv.ServerRequestDuration{}.Name(),
		telemetry.MetricClientDuration:     messagingconv.ClientOperationDuration{}.Name(),
		telemetry.MetricProcessDuration:    messagingconv.ProcessDuration{}.Name(),
	} {
		if got != want {
			t.Errorf("name = %q, want %q", got, want)
		}
	}
}

func TestDurationBounds(t *testing.T) {
	t.Parallel()
	if bounds := telemetry.DurationBounds(); !slices.IsSorted(bounds) || len(slices.Compact(bounds)) != len(telemetry.DurationBounds()) {
		t.Errorf("bounds = %v, want them ascending", bounds)
	}
}
