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

// instruments are those of one service.
type instruments struct {
	work, queue       metric.Float64Histogram
	jobWork, jobQueue metric.Float64Histogram
	handed            metric.Int64Counter
}

// recorder measures the requests of one operation. A nil *recorder measures nothing. Its
// options are ready-made: building attributes for each request would cost more than
// recording it.
type recorder struct {
	instruments
	results []metric.RecordOption
	faults  map[contract.Code][]metric.RecordOption
	handing []metric.AddOption
}

// durations are the bucket bounds in seconds: work takes from microseconds to minutes.
var durations = []float64{.00001, .0001, .0005, .001, .005, .01, .05, .1, .5, 1, 5, 10, 60}

// jobDurations are the bounds for durable jobs, which may wait and run for hours.
var jobDurations = []float64{.001, .01, .1, .5, 1, 5, 10, 60, 300, 1800, 7200, 36000, 86400}

// recorders registers the instruments of a service and returns what makes the recorder
// of an operation; without a meter there are none.
func recorders(m metric.Meter, h *Host, s *service) (of func(contract.Spec) *recorder, err error) {
	if m == nil {
		return func(contract.Spec) *recorder { return nil }, nil
	}
	i, err := newInstruments(m)
	if err != nil {
		return nil, err
	}
	return func(operation contract.Spec) *recorder { return newRecorder(i, operation) }, observe(m, h, s)
}

// newInstruments registers the counters and histograms of a service.
func newInstruments(m metric.Meter) (i instruments, err error) {
	if i.work, err = m.Float64Histogram("heddle.request.work", metric.WithUnit("s"),
		metric.WithDescription("Time that requests were worked on."), metric.WithExplicitBucketBoundaries(durations...)); err != nil {
		return i, err
	}
	if i.queue, err = m.Float64Histogram("heddle.request.queue", metric.WithUnit("s"),
		metric.WithDescription("Time that heavy requests waited for a slot."), metric.WithExplicitBucketBoundaries(durations...)); err != nil {
		return i, err
	}
	if i.jobWork, err = m.Float64Histogram("heddle.job.work", metric.WithUnit("s"),
		metric.WithDescription("Time that attempts at durable jobs took."), metric.WithExplicitBucketBoundaries(jobDurations...)); err != nil {
		return i, err
	}
	if i.jobQueue, err = m.Float64Histogram("heddle.job.queue", metric.WithUnit("s"),
		metric.WithDescription("Time that durable jobs were queued before an attempt."), metric.WithExplicitBucketBoundaries(jobDurations...)); err != nil {
		return i, err
	}
	i.handed, err = m.Int64Counter("heddle.requests.handed_over", metric.WithUnit("{request}"),
		metric.WithDescription("Requests that found this instance full and went into the lane."))
	return i, err
}

// newRecorder returns the recorder of an operation of the service.
func newRecorder(i instruments, operation contract.Spec) *recorder {
	of := func(more ...attribute.KeyValue) metric.MeasurementOption {
		return metric.WithAttributeSet(attribute.NewSet(append(more,
			attribute.String("heddle.service", operation.Service),
			attribute.String("heddle.operation", operation.Operation))...))
	}
	r := &recorder{
		instruments: i,
		results:     []metric.RecordOption{of()},
		faults:      make(map[contract.Code][]metric.RecordOption),
		handing:     []metric.AddOption{of()},
	}
	for _, code := range contract.Codes() {
		r.faults[code] = []metric.RecordOption{of(attribute.String("error.type", string(code)))}
	}
	return r
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
		{"heddle.lane.depth", "{request}", "Requests waiting in the lane for a slot of any instance.", s.laneDepth},
		{"heddle.handles", "{handle}", "Large results that are held for their readers.", func(context.Context) int64 { n, _ := s.handles.count(); return n }},
		{"heddle.handles.memory", "By", "Memory that large results take while they are held.", func(context.Context) int64 { _, n := s.handles.count(); return n }},
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

// laneDepth returns the number of requests that wait in the lane.
func (s *service) laneDepth(ctx context.Context) int64 {
	if s.lane == nil {
		return 0
	}
	return int64(s.lane.State(ctx).Depth)
}

// record adds one answered request; f is nil for a result. Light requests wait for
// nothing, so they have no queue time.
func (r *recorder) record(ctx context.Context, c *call, queue, work time.Duration, f *contract.Error) {
	if r == nil {
		return
	}
	options := r.results
	if f != nil {
		options = r.fault(f.Code)
	}
	r.work.Record(ctx, work.Seconds(), options...)
	if !c.cost.Light {
		r.queue.Record(ctx, queue.Seconds(), options...)
	}
}

// recordJob adds one attempt at a job that was queued at the time.
func (r *recorder) recordJob(ctx context.Context, queued time.Time, work time.Duration, f *contract.Error) {
	if r == nil {
		return
	}
	options := r.results
	if f != nil {
		options = r.fault(f.Code)
	}
	r.jobWork.Record(ctx, work.Seconds(), options...)
	r.jobQueue.Record(ctx, (time.Since(queued) - work).Seconds(), options...)
}

// fault returns the options of a fault; a code that the contract does not know counts as
// internal.
func (r *recorder) fault(code contract.Code) []metric.RecordOption {
	if options, known := r.faults[code]; known {
		return options
	}
	return r.faults[contract.CodeInternal]
}

// handOver adds one request that went into the lane.
func (r *recorder) handOver(ctx context.Context) {
	if r != nil {
		r.handed.Add(ctx, 1, r.handing...)
	}
}

// startSpan continues the caller's trace, if spans are on.
func (e *endpoint) startSpan(ctx context.Context, c *call) (context.Context, trace.Span) {
	if e.tracer == nil {
		return ctx, nil
	}
	ctx = propagation.TraceContext{}.Extract(ctx, bus.Carrier(c.message.Header))
	return e.tracer.Start(ctx, "process "+e.subject,
		trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithTimestamp(c.arrived),
		trace.WithAttributes(
			attribute.String("messaging.system", "nats"),
			attribute.String("messaging.operation.name", "process"),
			attribute.String("messaging.operation.type", "process"),
			attribute.String("messaging.destination.name", e.subject),
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
