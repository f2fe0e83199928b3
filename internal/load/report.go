package load

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/seed-649d3d38/heddle/client"
	"github.com/seed-649d3d38/heddle/contract"
)

// Report is how the requests of a plan fared.
type Report struct {
	// Elapsed is the time from the first request to the last answer: the makespan.
	Elapsed time.Duration
	// OK is the number of requests that were answered with a result.
	OK int64
	// Failed counts the other answers by their code.
	Failed map[contract.Code]int64
	// Skipped is the number of requests that an open loop did not send because too many
	// were in flight.
	Skipped int64
	// FirstError is the first error that was answered, nil if none was.
	FirstError error
	// Latency is the time until the result; Queue and Work are what the instances said
	// about it. Failed requests are not in them.
	Latency, Queue, Work Times
	// Instances are those that answered, the busiest first.
	Instances []Instance
}

// Instance is the part that one instance had.
type Instance struct {
	ID       string
	Requests int64
	// Work is the sum of the times of work.
	Work time.Duration
}

// Ideal returns the shortest time in which slots could have done the work that was
// measured: all of it evenly spread, or the longest request alone. It is 0 without slots,
// and when no request ever waited for one, as light requests do not.
func (r Report) Ideal(slots int) time.Duration {
	if slots <= 0 || r.Queue.Max == 0 {
		return 0
	}
	return max(r.Work.Sum/time.Duration(slots), r.Work.Max)
}

// Times is a distribution of times, exact to three digits.
type Times struct {
	// Sum is the sum of all times, Max the longest.
	Sum, Max  time.Duration
	histogram *hdrhistogram.Histogram // microseconds
}

// Quantile returns the time that a share q of all times does not exceed.
func (t Times) Quantile(q float64) time.Duration {
	// The histogram returns the upper end of a range of values.
	return min(t.Max, time.Duration(t.histogram.ValueAtQuantile(100*q))*time.Microsecond)
}

// longest bounds what a histogram tells apart; a request takes no longer.
const longest = contract.MaxTimeout + time.Minute

func newTimes() Times {
	return Times{histogram: hdrhistogram.New(1, longest.Microseconds(), 3)}
}

func (t *Times) add(d time.Duration) {
	t.Sum += d
	t.Max = max(t.Max, d)
	_ = t.histogram.RecordValue(min(d, longest).Microseconds()) // fails only above longest
}

// tally counts answers as they come. It is safe for concurrent use.
type tally struct {
	mu        sync.Mutex // guards everything
	result    Report
	instances map[string]*Instance
}

func newTally() *tally {
	return &tally{
		result: Report{
			Failed: make(map[contract.Code]int64), Latency: newTimes(), Queue: newTimes(), Work: newTimes(),
		},
		instances: make(map[string]*Instance),
	}
}

// skip counts a request that was not sent.
func (t *tally) skip() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.result.Skipped++
}

// add counts an answer.
func (t *tally) add(latency time.Duration, reply client.Reply, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.result.Failed[contract.FromError(err).Code]++
		t.result.FirstError = cmp.Or(t.result.FirstError, err)
		return
	}
	t.result.OK++
	t.result.Latency.add(latency)
	queue, work, timed := contract.ParseServerTiming(reply.Timing)
	if timed {
		t.result.Queue.add(queue)
		t.result.Work.add(work)
	}
	if t.instances[reply.Instance] == nil {
		t.instances[reply.Instance] = &Instance{ID: reply.Instance}
	}
	i := t.instances[reply.Instance]
	i.Requests++
	i.Work += work
}

// report returns the count; nothing may be added afterwards.
func (t *tally) report(elapsed time.Duration) Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.result.Elapsed = elapsed
	for _, i := range slices.SortedFunc(maps.Values(t.instances), busiest) {
		t.result.Instances = append(t.result.Instances, *i)
	}
	return t.result
}

func busiest(a, b *Instance) int {
	return cmp.Or(cmp.Compare(b.Work, a.Work), cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.ID, b.ID))
}
