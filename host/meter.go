package host

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/bus"
)

// instruments measure the requests of one service. A nil *instruments measures nothing.
type instruments struct {
	work, queue metric.Float64Histogram
	handed      metric.Int64Counter
	// options holds ready-made attributes by operation and code: building a set for
	// each request would cost more than recording it.
	options map[outcome]metric.MeasurementOption
	service string
}

// outcome is the set of attributes of a measurement; code is empty for a result.
type outcome struct {
	operation string
	code      contract.Code
}

// durations are the bucket bounds in seconds: work takes from microseconds to minutes.
var durations = []float64{.00001, .0001, .0005, .001, .005, .01, .05, .1, .5, 1, 5, 10, 60}

// newInstruments registers the instruments of a service; a nil meter has none.
func newInstruments(m metric.Meter, h *Host, s *service) (*instruments, error) {
	if m == nil {
		return nil, nil
	}
	i := &instruments{service: s.spec.Name, options: make(map[outcome]metric.MeasurementOption)}
	for _, op := range s.spec.Operations {
		for _, code := range append(contract.Codes(), "") {
			o := outcome{op.Endpoint.Operation, code}
			i.options[o] = metric.WithAttributeSet(i.attributes(o))
		}
	}
	var err error
	if i.work, err = m.Float64Histogram("heddle.request.work", metric.WithUnit("s"),
		metric.WithDescription("Time that requests were worked on."), metric.WithExplicitBucketBoundaries(durations...)); err != nil {
		return nil, err
	}
	if i.queue, err = m.Float64Histogram("heddle.request.queue", metric.WithUnit("s"),
		metric.WithDescription("Time that requests waited for a slot."), metric.WithExplicitBucketBoundaries(durations...)); err != nil {
		return nil, err
	}
	if i.handed, err = m.Int64Counter("heddle.requests.handed_over", metric.WithUnit("{request}"),
		metric.WithDescription("Requests that found this instance full and went into the lane.")); err != nil {
		return nil, err
	}
	return i, observe(m, h, s)
}

func (i *instruments) attributes(o outcome) attribute.Set {
	kv := []attribute.KeyValue{
		attribute.String("heddle.service", i.service),
		attribute.String("heddle.operation", o.operation),
	}
	if o.code != "" {
		kv = append(kv, attribute.String("error.type", string(o.code)))
	}
	return attribute.NewSet(kv...)
}

// observe registers the gauges of a service's slots and of the memory budget.
func observe(m metric.Meter, h *Host, s *service) error {
	of := metric.WithAttributeSet(attribute.NewSet(attribute.String("heddle.service", s.spec.Name)))
	gauges := []struct {
		name, unit, description string
		value                   func(context.Context) int64
	}{
		{"heddle.slots", "{slot}", "Heavy requests that the service can run at once.", func(context.Context) int64 { return s.gate.slots }},
		{"heddle.slots.busy", "{slot}", "Slots in use.", func(context.Context) int64 { return s.gate.busy.Load() }},
		{"heddle.requests.waiting", "{request}", "Requests waiting in this instance for a slot.", func(context.Context) int64 { return s.gate.waiting.Load() }},
		{"heddle.lane.depth", "{request}", "Requests waiting in the lane for a slot of any instance.", func(ctx context.Context) int64 { return int64(s.lane.State(ctx).Depth) }},
		{"heddle.memory.reserved", "By", "Memory reserved by running requests of the process.", func(context.Context) int64 { return h.memory.reserved.Load() }},
		{"heddle.memory.budget", "By", "Memory that running requests of the process may reserve.", func(context.Context) int64 { return h.memory.budget }},
	}
	for _, g := range gauges {
		_, err := m.Int64ObservableGauge(g.name, metric.WithUnit(g.unit), metric.WithDescription(g.description),
			metric.WithInt64Callback(func(ctx context.Context, o metric.Int64Observer) error {
				o.Observe(g.value(ctx), of)
				return nil
			}))
		if err != nil {
			return err
		}
	}
	return nil
}

// record adds one answered request.
func (i *instruments) record(ctx context.Context, operation string, queue, work time.Duration, f *contract.Error) {
	if i == nil {
		return
	}
	o := outcome{operation: operation}
	if f != nil {
		o.code = f.Code
	}
	attributes, known := i.options[o]
	if !known {
		attributes = metric.WithAttributeSet(i.attributes(o))
	}
	i.work.Record(ctx, work.Seconds(), attributes)
	i.queue.Record(ctx, queue.Seconds(), attributes)
}

// handOver adds one request that went into the lane.
func (i *instruments) handOver(ctx context.Context, operation string) {
	if i != nil {
		i.handed.Add(ctx, 1, i.options[outcome{operation: operation}])
	}
}

// startSpan continues the caller's trace, if spans are on.
func (e *endpoint) startSpan(ctx context.Context, c *call) (context.Context, trace.Span) {
	if e.tracer == nil {
		return ctx, nil
	}
	ctx = propagation.TraceContext{}.Extract(ctx, bus.Carrier(c.message.Header))
	return e.tracer.Start(ctx, "process "+e.spec.Subject(),
		trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithTimestamp(c.arrived),
		trace.WithAttributes(
			attribute.String("messaging.system", "nats"),
			attribute.String("messaging.operation.name", "process"),
			attribute.String("messaging.operation.type", "process"),
			attribute.String("messaging.destination.name", e.spec.Subject()),
			attribute.String("messaging.consumer.group.name", e.spec.Service),
			attribute.Int("messaging.message.body.size", len(c.message.Data)),
		))
}

// endSpan ends a span that may be nil.
func endSpan(span trace.Span, err error) {
	if span == nil {
		return
	}
	if err != nil {
		f := contract.FromError(err)
		span.SetAttributes(attribute.String("error.type", string(f.Code)))
		span.SetStatus(codes.Error, f.Detail)
	}
	span.End()
}
