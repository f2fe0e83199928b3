package host_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host"
	"github.com/seed-649d3d38/heddle/internal/brokertest"
	"github.com/seed-649d3d38/heddle/solver"
)

// serve hosts a service and returns a caller's connection.
func serve(t *testing.T, cfg host.Config, s solver.Service) *nats.Conn {
	t.Helper()
	b := brokertest.Start(t)
	h, err := host.Start(t.Context(), brokertest.Connect(t, b), cfg, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Drain(context.Background()); err != nil {
			t.Errorf("drain: %v", err)
		}
	})
	return brokertest.Connect(t, b)
}

// ask sends a request to the echo with headers and returns the reply.
func ask(t *testing.T, nc *nats.Conn, header nats.Header) *nats.Msg {
	t.Helper()
	r, err := nc.RequestMsg(&nats.Msg{Subject: echo.Subject(), Data: []byte(`{"text":"1"}`), Header: header}, patience)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestResultTooLarge shows that a result is refused which the memory of the instance
// cannot hold.
func TestResultTooLarge(t *testing.T) {
	t.Parallel()
	large := func(context.Context, EchoRequest) (EchoResult, error) {
		return EchoResult{Text: contract.Integer(strings.Repeat("7", 2<<20))}, nil
	}
	unexpected := func(context.Context, EchoRequest) (EchoResult, error) {
		t.Error("solved a request whose result cannot be held")
		return EchoResult{}, nil
	}
	for name, s := range map[string]solver.Service{
		"found after the work":      service(large, solver.Cost{}),
		"estimated before the work": service(unexpected, solver.Cost{Result: 2 << 20}),
	} {
		r := ask(t, serve(t, host.Config{Memory: 1 << 20}, s), nil)
		if !bytes.Contains(r.Data, []byte(contract.CodeResultTooLarge)) {
			t.Errorf("%s: got %.200s, want %s", name, r.Data, contract.CodeResultTooLarge)
		}
	}
}

func TestInternalErrorIsLoggedNotSent(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	broken := func(context.Context, EchoRequest) (EchoResult, error) {
		return EchoResult{}, errors.New("disk 7 is on fire")
	}
	nc := serve(t, host.Config{Log: slog.New(slog.NewTextHandler(&log, nil))}, service(broken, solver.Cost{Light: true}))
	r := ask(t, nc, nil)
	if bytes.Contains(r.Data, []byte("disk")) {
		t.Errorf("the cause was sent: %s", r.Data)
	}
	problem := new(contract.Error)
	if err := problem.UnmarshalJSON(r.Data); err != nil {
		t.Fatal(err)
	}
	if s := log.String(); !strings.Contains(s, "disk 7") || !strings.Contains(s, problem.Reference) {
		t.Errorf("log is %q; want the cause and the reference %q", s, problem.Reference)
	}
}

func TestPublishedWithoutReply(t *testing.T) {
	t.Parallel()
	solved := make(chan struct{}, 1)
	nc := serve(t, host.Config{}, service(func(_ context.Context, r EchoRequest) (EchoResult, error) {
		solved <- struct{}{}
		return EchoResult{Text: r.Text}, nil
	}, solver.Cost{}))
	if err := nc.Publish(echo.Subject(), []byte(`{"text":"1"}`)); err != nil {
		t.Fatal(err)
	}
	<-solved
	ask(t, nc, nil) // the service is still there
	<-solved
}

func TestTraceContinues(t *testing.T) {
	t.Parallel()
	recorder := tracetest.NewSpanRecorder()
	tracer := trace.NewTracerProvider(trace.WithSpanProcessor(recorder)).Tracer("test")
	seen := make(chan oteltrace.SpanContext, 1)
	nc := serve(t, host.Config{Tracer: tracer, Slots: 1}, service(func(ctx context.Context, r EchoRequest) (EchoResult, error) {
		seen <- oteltrace.SpanContextFromContext(ctx)
		return EchoResult{}, contract.Errorf(contract.CodeUpstream, "no luck")
	}, solver.Cost{}))
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	ask(t, nc, nats.Header{"Traceparent": {parent}}) // as a client with canonical names writes it
	if inner := <-seen; inner.TraceID().String() != parent[3:35] {
		t.Errorf("the solver works in trace %s, want %s", inner.TraceID(), parent[3:35])
	}
	// The span ends after the reply is sent; another request gets the one slot after it.
	ask(t, nc, nil)
	<-seen
	span := recorder.Ended()[0]
	if span.Parent().SpanID().String() != parent[36:52] || span.Name() != "process "+echo.Subject() {
		t.Errorf("span %q has parent %s, want %q under %s", span.Name(), span.Parent().SpanID(), "process "+echo.Subject(), parent[36:52])
	}
	if span.Status().Description != "no luck" {
		t.Errorf("span status is %+v, want the error", span.Status())
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	reader := metric.NewManualReader()
	meter := metric.NewMeterProvider(metric.WithReader(reader)).Meter("test")
	nc := serve(t, host.Config{Meter: meter, Slots: 3}, service(say, solver.Cost{}))
	ask(t, nc, nil)
	ask(t, nc, nats.Header{contract.HeaderAccept: {"image/png"}})
	var data metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	counts := make(map[string]uint64)
	for _, m := range data.ScopeMetrics[0].Metrics {
		switch v := m.Data.(type) {
		case metricdata.Histogram[float64]:
			for _, p := range v.DataPoints {
				code, _ := p.Attributes.Value("error.type")
				counts[m.Name+" "+code.AsString()] = p.Count
			}
		case metricdata.Gauge[int64]:
			counts[m.Name] = uint64(v.DataPoints[0].Value)
		}
	}
	for name, want := range map[string]uint64{
		"heddle.request.work ":               1,
		"heddle.request.work not_acceptable": 1,
		"heddle.request.queue ":              1,
		"heddle.slots":                       3,
		"heddle.handles":                     0,
		"heddle.handles.memory":              0,
		"heddle.memory.budget":               host.DefaultMemory,
	} {
		if counts[name] != want {
			t.Errorf("%s is %d, want %d", name, counts[name], want)
		}
	}
}
