// Package load makes closed loops of requests: so many in flight, each followed by the
// next one when its answer is there. The loops do as little as they can, since they
// share the machine with what they measure.
//
//	result, err := load.HTTP(ctx, load.Run{Target: "127.0.0.1:8080", Path: path, Body: body, InFlight: 64, Duration: time.Second})
//	fmt.Println(result.PerSecond(), result.P99)
package load

import (
	"cmp"
	"slices"
	"time"

	"github.com/seed-649d3d38/heddle/bench/figure"
)

// Run says what to send and for how long. It travels as JSON to the process that sends.
type Run struct {
	// Target is the address of the gateway as host:port, or the subject.
	Target string
	// Path is the path of the route; over NATS there is none.
	Path string
	// Body is the JSON body of every request.
	Body string
	// InFlight is the number of requests in flight, above 0. Over HTTP each has a
	// connection of its own. For batches below 0 is what they have by default.
	InFlight int
	// Duration is how long requests are begun.
	Duration time.Duration
}

// Result is what a run gave.
type Result struct {
	Requests int
	// Elapsed is the time from the first request to the last answer.
	Elapsed time.Duration
	// P50 and P99 are percentiles of the time from a request to its answer, Mean is its
	// mean.
	P50, P99, Mean time.Duration
}

// PerSecond returns the throughput.
func (r Result) PerSecond() float64 { return float64(r.Requests) / r.Elapsed.Seconds() }

// lateness is how much longer than its duration a run may take before the missing
// answers count as lost.
const lateness = 10 * time.Second

// together has so many goroutines send requests at once, waits for all of them and
// summarizes what they return: the latencies of their requests. Of their errors it
// returns one, since what breaks one request breaks the others too.
func together(inFlight int, send func(start time.Time) ([]time.Duration, error)) (Result, error) {
	type outcome struct {
		latencies []time.Duration
		err       error
	}
	outcomes := make(chan outcome, inFlight)
	start := time.Now()
	for range inFlight {
		go func() {
			latencies, err := send(start)
			outcomes <- outcome{latencies, err}
		}()
	}
	var latencies []time.Duration
	var err error
	for range inFlight {
		o := <-outcomes
		latencies = append(latencies, o.latencies...)
		err = cmp.Or(err, o.err)
	}
	return summarize(latencies, time.Since(start)), err
}

// summarize makes the result of the latencies of a run.
func summarize(latencies []time.Duration, elapsed time.Duration) Result {
	slices.Sort(latencies)
	var sum time.Duration
	for _, l := range latencies {
		sum += l
	}
	return Result{
		Mean:     sum / time.Duration(max(1, len(latencies))),
		Requests: len(latencies),
		Elapsed:  elapsed,
		P50:      figure.Percentile(latencies, 0.50),
		P99:      figure.Percentile(latencies, 0.99),
	}
}
