package rest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/gateway/rest"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/telemetry"
	"github.com/seed-649d3d38/heddle/solver"
)

// startTraced starts a gateway with spans and returns where they are recorded.
func startTraced(t *testing.T) (*suite, *tracetest.SpanRecorder) {
	t.Helper()
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	return start(t, func(c *rest.Config) { c.Tracer = provider.Tracer("test") }), recorder
}

// TestSpans follows a caller's trace through the gateway to the service.
func TestSpans(t *testing.T) {
	t.Parallel()
	s, recorder := startTraced(t)
	got := s.capture(term)
	s.get("/v1/fibonacci/term?n=1", "Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "Tracestate", "a=b")
	m := <-got
	spans := recorder.Ended()
	if len(spans) != 2 {
		t.Fatalf("%d spans, want 2", len(spans))
	}
	client, server := spans[0], spans[1]
	if server.Name() != "GET /v1/fibonacci/term" || server.SpanKind() != trace.SpanKindServer || server.Parent().SpanID().String() != "b7ad6b7169203331" {
		t.Errorf("server span is %s %v below %s", server.Name(), server.SpanKind(), server.Parent().SpanID())
	}
	if client.Name() != "request heddle.v1.fibonacci.term" || client.SpanKind() != trace.SpanKindClient || client.Parent().SpanID() != server.SpanContext().SpanID() {
		t.Errorf("client span is %s %v below %s", client.Name(), client.SpanKind(), client.Parent().SpanID())
	}
	want := fmt.Sprintf("00-0af7651916cd43dd8448eb211c80319c-%s-01", client.SpanContext().SpanID())
	if len(m.Header["traceparent"]) != 1 || m.Header["traceparent"][0] != want || m.Header["tracestate"][0] != "a=b" {
		t.Errorf("the service got %v, want traceparent %s", m.Header, want)
	}
	wantAttributes(t, server.Attributes(), telemetry.KeyHTTPMethod.String("GET"), telemetry.KeyHTTPRoute.String("/v1/fibonacci/term"),
		telemetry.KeyURLPath.String("/v1/fibonacci/term"), telemetry.KeyHTTPStatus.Int(200))
	wantAttributes(t, client.Attributes(), telemetry.System(), telemetry.OperationSend(),
		telemetry.KeyDestination.String("heddle.v1.fibonacci.term"), telemetry.KeyBodySize.Int(9))
	if server.Status().Code != codes.Unset || client.Status().Code != codes.Unset {
		t.Errorf("status is %v and %v", server.Status(), client.Status())
	}
}

// TestOneTrace joins the spans of the gateway and of a service of the kit: the work lies
// below the request over NATS, and that below the request over HTTP.
func TestOneTrace(t *testing.T) {
	t.Parallel()
	recorder := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)).Tracer("test")
	s := start(t, func(c *rest.Config) { c.Tracer = tracer })
	inside := make(chan trace.SpanContext, 1)
	s.host(host.Config{Tracer: tracer}, termService(func(ctx context.Context, r contract.TermRequest) (contract.TermResult, error) {
		inside <- trace.SpanContextFromContext(ctx)
		return contract.TermResult{N: r.N}, nil
	}, solver.Cost{Light: true}))
	s.get("/v1/fibonacci/term?n=1")
	spans := recorder.Started()
	if len(spans) != 3 {
		t.Fatalf("%d spans, want 3", len(spans))
	}
	server, client, process := spans[0], spans[1], spans[2]
	if server.Parent().IsValid() || client.Parent().SpanID() != server.SpanContext().SpanID() || process.Parent().SpanID() != client.SpanContext().SpanID() {
		t.Errorf("%s, %s and %s are not below each other", server.Name(), client.Name(), process.Name())
	}
	if id := server.SpanContext().TraceID(); client.SpanContext().TraceID() != id || process.SpanContext().TraceID() != id {
		t.Error("the spans are of several traces")
	}
	if got := <-inside; got.SpanID() != process.SpanContext().SpanID() {
		t.Errorf("the solver works in span %s, want %s", got.SpanID(), process.SpanContext().SpanID())
	}
}

// TestSpansOfFailures has nobody to answer, and then nothing to ask.
func TestSpansOfFailures(t *testing.T) {
	t.Parallel()
	s, recorder := startTraced(t)
	s.get("/v1/fibonacci/term?n=1")
	s.do(request(t, "BREW", "/v1/fibonacci/term", nil))
	spans := recorder.Ended()
	if len(spans) != 3 {
		t.Fatalf("%d spans, want 3", len(spans))
	}
	client, server, refused := spans[0], spans[1], spans[2]
	for _, span := range []sdktrace.ReadOnlySpan{client, server} {
		if span.Status().Code != codes.Error {
			t.Errorf("%s has the status %v", span.Name(), span.Status())
		}
		wantAttributes(t, span.Attributes(), telemetry.KeyErrorType.String("unavailable"))
	}
	if refused.Name() != "_OTHER /v1/fibonacci/term" || refused.Status().Code != codes.Unset {
		t.Errorf("refused span is %s with %v; a caller's fault is no error of the server", refused.Name(), refused.Status())
	}
	wantAttributes(t, refused.Attributes(), telemetry.KeyHTTPStatus.Int(405), telemetry.KeyErrorType.String("method_not_allowed"))
}

func wantAttributes(t *testing.T, attributes []attribute.KeyValue, want ...attribute.KeyValue) {
	t.Helper()
	set := attribute.NewSet(attributes...)
	for _, kv := range want {
		if got, _ := set.Value(kv.Key); got != kv.Value {
			t.Errorf("%s is %v, want %v", kv.Key, got.AsInterface(), kv.Value.AsInterface())
		}
	}
}

// TestDuration holds what is measured: every request once, callers that left too, with
// attributes that callers cannot multiply.
func TestDuration(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	s := start(t, func(c *rest.Config) {
		c.Meter = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test")
	})
	ctx, leave := context.WithCancel(t.Context())
	s.respond(term, func(m *nats.Msg) *nats.Msg {
		switch string(m.Data) {
		case `{"n":"left"}`:
			leave()
			return nil
		case `{"n":"bad"}`:
			return problem(t, contract.Invalid("n", "is bad"))
		default:
			return &nats.Msg{Data: []byte("{}")}
		}
	})
	s.get("/v1/fibonacci/term?n=1")
	s.get("/v1/fibonacci/term?n=2")
	s.post("/v1/fibonacci/term", `{"n":"1"}`)
	s.get("/v1/fibonacci/term?n=bad")
	s.get("/v1/fibonacci/term?n=1", "Host", "evil.example")
	s.get("/some/thing")
	s.get("/some/thing/else")
	for _, method := range []string{"BREW", "STEEP"} {
		s.do(request(t, method, "/v1/fibonacci/term", nil))
	}
	s.get("/docs/")
	s.aborted(httptest.NewRecorder(), request(t, http.MethodGet, "/v1/fibonacci/term?n=left", nil).WithContext(ctx))

	var data metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	metric := data.ScopeMetrics[0].Metrics[0]
	if metric.Name != "http.server.request.duration" || metric.Unit != "s" {
		t.Fatalf("metric is %s in %s", metric.Name, metric.Unit)
	}
	counts := make(map[string]uint64)
	for _, point := range metric.Data.(metricdata.Histogram[float64]).DataPoints {
		var parts []string
		for _, kv := range point.Attributes.ToSlice() {
			if kv.Key != telemetry.KeyURLScheme {
				parts = append(parts, kv.Value.String())
			}
		}
		counts[strings.Join(parts, " ")] = point.Count
	}
	want := map[string]uint64{ // error type, method, status, route
		"GET 200 /v1/fibonacci/term":                       2,
		"POST 200 /v1/fibonacci/term":                      1,
		"GET 422 /v1/fibonacci/term":                       1,
		"forbidden GET 403 /v1/fibonacci/term":             1,
		"method_not_allowed _OTHER 405 /v1/fibonacci/term": 2,
		"not_found GET 404 /":                              2,
		"GET 200 /docs/{$}":                                1,
		"canceled GET 499 /v1/fibonacci/term":              1,
	}
	for key, count := range want {
		if counts[key] != count {
			t.Errorf("%s: measured %d times, want %d", key, counts[key], count)
		}
	}
	if len(counts) != len(want) {
		t.Errorf("measured %v", counts)
	}
}
