package bus_test

import (
	"slices"
	"testing"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-649d3d38/heddle/internal/bus"
)

var _ propagation.TextMapCarrier = bus.Carrier(nil)

func TestCarrierGet(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		header nats.Header
		want   string
	}{
		"nil":                  {nil, ""},
		"lower case":           {nats.Header{"traceparent": {"a"}}, "a"},
		"canonical":            {nats.Header{"Traceparent": {"a"}}, "a"},
		"upper case":           {nats.Header{"TRACEPARENT": {"a", "b"}}, "a"},
		"lower case preferred": {nats.Header{"Traceparent": {"a"}, "traceparent": {"b"}}, "b"},
		"no value":             {nats.Header{"traceparent": nil, "Traceparent": {}}, ""},
		"another":              {nats.Header{"tracestate": {"a"}}, ""},
	} {
		if got := bus.Carrier(test.header).Get("TraceParent"); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestCarrierSet(t *testing.T) {
	t.Parallel()
	header := nats.Header{"Traceparent": {"a"}, "TRACEPARENT": {"b"}, "Other": {"c"}}
	carrier := bus.Carrier(header)
	carrier.Set("TraceParent", "d")
	keys := carrier.Keys()
	slices.Sort(keys)
	if !slices.Equal(keys, []string{"Other", "traceparent"}) || header["traceparent"][0] != "d" {
		t.Errorf("header = %v, want the value under one lower-case name", header)
	}
}

func TestCarrierPropagates(t *testing.T) {
	t.Parallel()
	span := trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled, Remote: true,
	})
	header := nats.Header{}
	propagation.TraceContext{}.Inject(trace.ContextWithSpanContext(t.Context(), span), bus.Carrier(header))
	if header["traceparent"] == nil {
		t.Errorf("header = %v, want traceparent in lower case", header)
	}
	ctx := propagation.TraceContext{}.Extract(t.Context(), bus.Carrier(header))
	if got := trace.SpanContextFromContext(ctx); !got.Equal(span) {
		t.Errorf("span = %v, want %v", got, span)
	}
}
