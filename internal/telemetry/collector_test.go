package telemetry_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	collectlogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	collectmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collecttraces "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	"google.golang.org/protobuf/proto"
)

// collector is an OTLP/HTTP collector on loopback that keeps what it is sent.
type collector struct {
	URL string

	mu      sync.Mutex
	spans   map[string]string // from name to trace id
	metrics []string
	logs    map[string]string // from body to trace id
	service []string          // the service.name of each resource
	faults  []error
}

func newCollector(t *testing.T) *collector {
	c := &collector{spans: map[string]string{}, logs: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", receive(c, func(m *collecttraces.ExportTraceServiceRequest) {
		for _, r := range m.ResourceSpans {
			c.addResource(r.Resource.Attributes)
			for _, s := range r.ScopeSpans {
				for _, span := range s.Spans {
					c.spans[span.Name] = string(span.TraceId)
				}
			}
		}
	}))
	mux.HandleFunc("POST /v1/metrics", receive(c, func(m *collectmetrics.ExportMetricsServiceRequest) {
		for _, r := range m.ResourceMetrics {
			c.addResource(r.Resource.Attributes)
			for _, s := range r.ScopeMetrics {
				for _, metric := range s.Metrics {
					c.metrics = append(c.metrics, metric.Name)
				}
			}
		}
	}))
	mux.HandleFunc("POST /v1/logs", receive(c, func(m *collectlogs.ExportLogsServiceRequest) {
		for _, r := range m.ResourceLogs {
			c.addResource(r.Resource.Attributes)
			for _, s := range r.ScopeLogs {
				for _, record := range s.LogRecords {
					c.logs[record.Body.GetStringValue()] = string(record.TraceId)
				}
			}
		}
	}))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Cleanup(func() {
		for _, err := range c.faults {
			t.Errorf("collector: %v", err)
		}
	})
	c.URL = server.URL
	return c
}

// receive decodes the body of a request and hands it over under the lock. An empty
// body is the protocol's answer that all was taken.
func receive[M any, P interface {
	*M
	proto.Message
}](c *collector, take func(P)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		body, err := io.ReadAll(r.Body)
		message := P(new(M))
		if err == nil {
			err = proto.Unmarshal(body, message)
		}
		if err != nil {
			c.faults = append(c.faults, err)
			return
		}
		take(message)
		w.Header().Set("Content-Type", "application/x-protobuf")
	}
}

func (c *collector) addResource(attributes []*commonpb.KeyValue) {
	for _, a := range attributes {
		if a.Key == "service.name" {
			c.service = append(c.service, a.Value.GetStringValue())
		}
	}
}

// received returns which signals have come, in the order traces, metrics, logs.
func (c *collector) received() (signals []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.spans) > 0 {
		signals = append(signals, "traces")
	}
	if len(c.metrics) > 0 {
		signals = append(signals, "metrics")
	}
	if len(c.logs) > 0 {
		signals = append(signals, "logs")
	}
	return signals
}

// services returns the distinct names of the services that have reported.
func (c *collector) services() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Compact(slices.Sorted(slices.Values(c.service)))
}
