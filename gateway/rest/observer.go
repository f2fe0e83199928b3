package rest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/bus"
	"github.com/seed-649d3d38/heddle/internal/telemetry"
)

// observer makes the spans and the metric of requests by hand: the general middleware
// for it costs a sixth of the gateway's throughput even when it records nothing.
type observer struct {
	tracer   trace.Tracer            // nil without tracing
	duration metric.Float64Histogram // nil without metrics
	options  sync.Map                // of outcome to []metric.RecordOption
}

// outcome is what tells the measurements of requests apart. All its members have few
// values, whatever callers send.
type outcome struct {
	route  string
	method string
	status int
	code   contract.Code
}

func newObserver(tracer trace.Tracer, meter metric.Meter) (*observer, error) {
	o := &observer{tracer: tracer}
	if meter == nil {
		return o, nil
	}
	var err error
	o.duration, err = meter.Float64Histogram(telemetry.MetricHTTPServerDuration,
		metric.WithUnit("s"),
		metric.WithDescription("Duration of HTTP server requests."),
		metric.WithExplicitBucketBoundaries(telemetry.DurationBounds()...))
	if err != nil {
		return nil, fmt.Errorf("make instrument: %w", err)
	}
	return o, nil
}

// begin starts the span of a request, if spans are on; otherwise it is nil.
func (o *observer) begin(r *http.Request, rt *route) (context.Context, trace.Span) {
	if o.tracer == nil {
		return r.Context(), nil
	}
	ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	method := knownMethod(r.Method)
	return o.tracer.Start(ctx, method+" "+rt.pattern,
		trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(
			telemetry.KeyHTTPMethod.String(method),
			telemetry.KeyHTTPRoute.String(rt.pattern),
			telemetry.KeyURLPath.String(r.URL.Path),
			telemetry.KeyURLScheme.String("http"),
		))
}

// end ends the span, if there is one, and measures the request. A fault is what the
// gateway itself refused the request with; it is nil when the service did.
func (o *observer) end(ctx context.Context, span trace.Span, rt *route, r *http.Request, status int, fault *contract.Error, arrived time.Time) {
	out := outcome{route: rt.pattern, method: knownMethod(r.Method), status: status}
	if fault != nil {
		out.code = fault.Code
	}
	if o.duration != nil {
		o.duration.Record(ctx, time.Since(arrived).Seconds(), o.recordOptions(out)...)
	}
	if span == nil {
		return
	}
	span.SetAttributes(telemetry.KeyHTTPStatus.Int(status))
	if fault != nil {
		span.SetAttributes(telemetry.KeyErrorType.String(string(fault.Code)))
	}
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

// recordOptions returns the ready-made attributes of an outcome.
func (o *observer) recordOptions(out outcome) []metric.RecordOption {
	if options, ok := o.options.Load(out); ok {
		return options.([]metric.RecordOption)
	}
	attributes := []attribute.KeyValue{
		telemetry.KeyHTTPMethod.String(out.method),
		telemetry.KeyHTTPRoute.String(out.route),
		telemetry.KeyHTTPStatus.Int(out.status),
		telemetry.KeyURLScheme.String("http"),
	}
	if out.code != "" {
		attributes = append(attributes, telemetry.KeyErrorType.String(string(out.code)))
	}
	options := []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(attributes...))}
	o.options.Store(out, options)
	return options
}

// request sends a request within a span of its own, if spans are on, so that the
// service's spans hang below it.
func (o *observer) request(ctx context.Context, r *bus.Requester, m *nats.Msg, timeout time.Duration) (*nats.Msg, error) {
	if o.tracer == nil {
		return r.Do(ctx, m, timeout)
	}
	ctx, span := o.tracer.Start(ctx, "request "+m.Subject,
		trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(
			telemetry.System(),
			telemetry.OperationSend(),
			telemetry.KeyOperationName.String("request"),
			telemetry.KeyDestination.String(m.Subject),
			telemetry.KeyBodySize.Int(len(m.Data)),
		))
	defer span.End()
	if m.Header == nil {
		m.Header = make(nats.Header, 2)
	}
	propagation.TraceContext{}.Inject(ctx, bus.Carrier(m.Header))
	reply, err := r.Do(ctx, m, timeout)
	if err != nil {
		fault := contract.FromError(err)
		span.SetAttributes(telemetry.KeyErrorType.String(string(fault.Code)))
		span.SetStatus(codes.Error, fault.Detail)
	}
	return reply, err
}

var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
	http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace,
}

// knownMethod returns the method, or the word of the conventions for one that a caller
// made up.
func knownMethod(method string) string {
	if slices.Contains(methods, method) {
		return method
	}
	return "_OTHER"
}
