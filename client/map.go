package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/batch"
)

// Item is one request of [Map] and what came of it.
type Item[Req contract.Request, Res any] struct {
	// Index is the place of the request in the sequence, from 0.
	Index int
	// Request is the request as it came from the sequence.
	Request Req
	// Result is the result; the zero value if there is none.
	Result Res
}

// MapOptions say how [Map] works. The zero value is usable.
type MapOptions struct {
	// Ordered yields items in the order of the requests, otherwise as they come.
	Ordered bool
	// StopAtFirstError ends the iteration with the first item that has an error;
	// otherwise every request has its turn.
	StopAtFirstError bool
	// InFlight is the number of requests that may be sent and not be yielded; zero means
	// 8192. Results are held in memory that long. As many requests, 1500 at most, are
	// taken from the sequence ahead of that.
	InFlight int
}

// Map sends every request of a sequence to an endpoint and yields what comes of each:
// its result, or its error as an [*contract.Error]. It is for many requests, also without
// end: small ones travel together, a bounded number is in flight, instances without room
// are asked again later, and equal requests of pure operations are computed once.
//
//	for item, err := range client.Map(ctx, c, contract.FibonacciTerm, requests, client.MapOptions{}) {
//		…
//	}
//
// Leaving the loop cancels what is in flight, at the services too. When ctx ends, the
// items in flight are yielded with its error and the iteration ends. Each request may
// take the operation's time-out; a deadline of ctx is for all of them together.
//
// The sequence is iterated in a goroutine of its own, which has ended when the loop has;
// so a sequence that waits for something must give up waiting when the loop may end.
// Requests are not validated before they are sent.
//
// Map works over NATS. Over HTTP, post the requests to [contract.Spec.BatchRoute].
func Map[Req contract.Request, Res any](ctx context.Context, c *NATS, e contract.Endpoint[Req, Res], requests iter.Seq[Req], o MapOptions) iter.Seq2[Item[Req, Res], error] {
	return func(yield func(Item[Req, Res], error) bool) {
		requester, err := c.replies()
		if err != nil {
			yield(Item[Req, Res]{}, err)
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()

		m := &mapping[Req, Res]{taken: make(map[int]Req), yield: yield, options: o}
		queue := batch.NewQueue(o.InFlight)
		var filled sync.WaitGroup
		filled.Go(func() { queue.Fill(ctx, m.encode(requests)) })
		// An error is that of ctx, which the items have had, or that the loop was left.
		_, _ = batch.Run(ctx, batch.Config{
			Pure: e.Pure, Ordered: o.Ordered, InFlight: o.InFlight, Patience: e.Timeout,
		}, queue, m, batch.Over(requester.Do, e.Descriptor(), nil))
		cancel()
		filled.Wait()
	}
}

// mapping is one loop over a Map. It is the sink of its batch.
type mapping[Req contract.Request, Res any] struct {
	yield   func(Item[Req, Res], error) bool
	options MapOptions

	mu    sync.Mutex
	taken map[int]Req // requests that are not yielded, by index
}

// errLeft ends a batch whose loop was left.
var errLeft = errors.New("the loop was left")

// encode encodes the requests and keeps them.
func (m *mapping[Req, Res]) encode(requests iter.Seq[Req]) iter.Seq[batch.Item] {
	return func(yield func(batch.Item) bool) {
		index := 0
		for request := range requests {
			m.mu.Lock()
			m.taken[index] = request
			m.mu.Unlock()
			index++
			var item batch.Item
			body, err := json.Marshal(request)
			if err != nil {
				item.Fault = contract.Errorf(contract.CodeMalformedRequest, "the request cannot be encoded as JSON").WithCause(err)
			}
			item.Body = body
			if !yield(item) {
				return
			}
		}
	}
}

// Deliver implements [batch.Sink].
func (m *mapping[Req, Res]) Deliver(l contract.BatchLine) error {
	m.mu.Lock()
	item := Item[Req, Res]{Index: l.Index, Request: m.taken[l.Index]}
	delete(m.taken, l.Index)
	m.mu.Unlock()
	var err error
	if l.Error != nil {
		err = l.Error
	} else if e := json.Unmarshal(l.Result, &item.Result); e != nil {
		err = contract.FromError(fmt.Errorf("decode result: %w", e))
	}
	if !m.yield(item, err) || err != nil && m.options.StopAtFirstError {
		return errLeft
	}
	return nil
}

// Flush implements [batch.Sink]. Nothing is held back.
func (m *mapping[Req, Res]) Flush() error { return nil }
