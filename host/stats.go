package host

import (
	"encoding/json"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/micro"

	"github.com/seed-649d3d38/heddle/contract"
)

// stats counts what an endpoint has answered, for ADR-32. A request counts once its
// answer is sent. The zero value is ready to use.
type stats struct {
	requests   atomic.Int64
	errors     atomic.Int64
	processing atomic.Int64 // nanoseconds of work, waiting not included
	lastError  atomic.Pointer[contract.Error]
}

// count adds one answered request; fault is nil for a result.
func (s *stats) count(work time.Duration, fault *contract.Error) {
	s.processing.Add(int64(work))
	if fault != nil {
		s.errors.Add(1)
		s.lastError.Store(fault)
	}
	s.requests.Add(1)
}

func (s *stats) snapshot(e *endpoint, data json.RawMessage) *micro.EndpointStats {
	snapshot := &micro.EndpointStats{
		Name:           e.name,
		Subject:        e.subject,
		QueueGroup:     contract.QueueGroup(e.spec.Service),
		NumRequests:    int(s.requests.Load()),
		NumErrors:      int(s.errors.Load()),
		ProcessingTime: time.Duration(s.processing.Load()),
		Data:           data,
	}
	if snapshot.NumRequests > 0 {
		snapshot.AverageProcessingTime = snapshot.ProcessingTime / time.Duration(snapshot.NumRequests)
	}
	if e := s.lastError.Load(); e != nil {
		// The form that micro uses, without the cause: discovery is open to all.
		snapshot.LastError = string(e.Code) + ": " + e.Detail
	}
	return snapshot
}
