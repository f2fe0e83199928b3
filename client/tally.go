package client

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
)

// Tally is a [Caller] that counts who answered what it sends through another one: which
// instance, how often, and how long it took there. It is safe for concurrent use if that
// other caller is.
type Tally struct {
	caller Caller

	mu     sync.Mutex
	counts map[identity]*Count // guarded by mu
}

// identity is what a tally counts by.
type identity struct{ service, instance string }

// Count is what one instance has done for the callers of a [Tally].
type Count struct {
	// Service is the name of the service, and Instance that of the instance. Instance is
	// empty for requests that failed: an error does not say who made it, and often
	// nobody did.
	Service, Instance string
	// Requests is the number of replies.
	Requests int
	// Waiting and Working are the times that the requests have waited for a slot and
	// been worked on, in all, as the instance measured them.
	Waiting, Working time.Duration
}

// NewTally returns a tally of what is sent through the caller.
func NewTally(c Caller) *Tally { return &Tally{caller: c, counts: make(map[identity]*Count)} }

// Send implements [Caller].
func (t *Tally) Send(ctx context.Context, operation contract.Spec, body []byte, accept string) (Reply, error) {
	reply, err := t.caller.Send(ctx, operation, body, accept)
	t.count(operation.Service, reply.Origin)
	return reply, err
}

// Open implements [Caller].
func (t *Tally) Open(ctx context.Context, operation contract.Spec, body []byte, accept string) (*Result, error) {
	result, err := t.caller.Open(ctx, operation, body, accept)
	if err != nil {
		t.count(operation.Service, Origin{})
		return nil, err
	}
	t.count(operation.Service, result.Origin)
	return result, nil
}

// count counts a reply; no origin is that of a request that failed.
func (t *Tally) count(service string, from Origin) {
	waiting, working, _ := contract.ParseServerTiming(from.Timing) // 0 if it does not say
	t.mu.Lock()
	defer t.mu.Unlock()
	key := identity{service, from.Instance}
	c := t.counts[key]
	if c == nil {
		c = &Count{Service: service, Instance: from.Instance}
		t.counts[key] = c
	}
	c.Requests++
	c.Waiting += waiting
	c.Working += working
}

// Counts returns the counts so far, ordered by service and instance.
func (t *Tally) Counts() []Count {
	t.mu.Lock()
	defer t.mu.Unlock()
	counts := make([]Count, 0, len(t.counts))
	for _, c := range t.counts {
		counts = append(counts, *c)
	}
	slices.SortFunc(counts, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Instance, b.Instance))
	})
	return counts
}

// Requests returns the number of requests so far.
func (t *Tally) Requests() int {
	all := 0
	for _, c := range t.Counts() {
		all += c.Requests
	}
	return all
}

// Print writes the counts so far as a table for a person, with the share of each
// instance in all requests.
func (t *Tally) Print(out io.Writer) error {
	counts := t.Counts()
	all := 0
	for _, c := range counts {
		all += c.Requests
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SERVICE\tINSTANCE\tREQUESTS\tSHARE\tTOTAL TIME\tMEAN TIME\tMEAN WAIT")
	for _, c := range counts {
		n := time.Duration(c.Requests)
		fmt.Fprintf(w, "%s\t%s\t%d\t%.1f %%\t%v\t%v\t%v\n",
			c.Service, cmp.Or(c.Instance, "(failed)"), c.Requests, 100*float64(c.Requests)/float64(all),
			c.Working, (c.Working / n).Round(time.Microsecond), (c.Waiting / n).Round(time.Microsecond))
	}
	return w.Flush()
}
