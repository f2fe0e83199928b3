package host

import (
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/host/internal/lane"
	"github.com/seed-649d3d38/heddle/solver"
)

// call is one request on its way through an endpoint.
type call struct {
	message  *nats.Msg
	arrived  time.Time
	deadline time.Time
	request  any
	chunk    *chunk // instead of the request, if there are many
	cost     solver.Cost
	media    string    // of the result
	reserved int64     // memory, while the request runs
	held     *held     // the result, if it is a handle
	timing   [1]string // value of the timing header of the reply

	// waited is the time in nanoseconds before the work began, 0 while it has not. The
	// end of the caller's time may read it while the work begins.
	waited   atomic.Int64
	answered atomic.Bool
}

func newCall(m *nats.Msg, arrived time.Time) *call {
	return &call{message: m, arrived: arrived}
}

// entry returns the request as it goes into the lane.
func (c *call) entry(e *endpoint) lane.Entry {
	return lane.Entry{
		Message: c.message, Operation: e.name, Pure: e.spec.Pure,
		Arrived: c.arrived, Deadline: c.deadline,
	}
}

// begin notes that the work begins now.
func (c *call) begin() { c.waited.Store(max(1, int64(time.Since(c.arrived)))) }

// beginAtOnce notes that the work has begun as the request arrived.
func (c *call) beginAtOnce() { c.waited.Store(1) }

// claim reports whether the caller may be answered now; it says yes once.
func (c *call) claim() bool { return c.answered.CompareAndSwap(false, true) }

// times returns how long the request has waited for its work to begin and how long it
// has been worked on.
func (c *call) times(now time.Time) (queue, work time.Duration) {
	total := now.Sub(c.arrived)
	waited := time.Duration(c.waited.Load())
	if waited == 0 {
		return total, 0
	}
	return waited, total - waited
}

// header returns a header of the request. Names are compared byte by byte, as NATS does.
func (c *call) header(name string) string {
	if values := c.message.Header[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// readHeaders takes the deadline and the accepted media from the request's headers.
func (c *call) readHeaders(e *endpoint) (err error) {
	timeout := e.spec.Timeout
	if value := c.header(contract.HeaderTimeout); value != "" {
		if timeout, err = contract.ParseTimeout(value); err != nil {
			return err
		}
	}
	c.deadline = c.arrived.Add(timeout)
	c.media, err = negotiate(c.header(contract.HeaderAccept), e.offers)
	return err
}
