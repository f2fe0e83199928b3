// Package batch runs many requests of one operation: it packs them into chunks of a good
// size, keeps a bounded number in flight, sends again what was refused for lack of room,
// computes equal requests once and delivers every outcome, in order or as it comes.
//
// It is the engine behind the gateway's batch routes, client.Map and heddle call
// --batch. It knows raw JSON and a function that sends; it knows neither HTTP nor what an
// operation means, and it has no queue of its own: what is not in flight stays with its
// source.
//
//	summary, err := batch.Run(ctx, batch.Config{Pure: true}, batch.List(items), sink, send)
//
// # How much is in flight
//
// A chunk aims at [chunkWork] of work, by what the replies say that their work took: it
// begins with single requests and grows geometrically, and shrinks at once when the work
// turns out longer. Requests of operations that are not pure travel alone, so that
// nothing runs twice and an instance that dies takes one of them along. The number of
// messages in flight grows while nobody has to wait for a slot, and is halved when the
// service refuses for lack of room.
//
// A place in flight is free again when the outcome has been delivered, not when it is
// there. So a reader that stops stops the work, and memory does not grow.
package batch

import (
	"context"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
)

const (
	// DefaultInFlight is the number of items in flight when [Config] names none: enough
	// chunks of the largest size to keep several instances busy.
	DefaultInFlight = 8192

	// maxChunk is the largest number of items in a chunk.
	maxChunk = 1000

	// maxMessages is the largest number of messages in flight.
	maxMessages = 256

	// chunkWork is how long the work of a chunk should take: long against the cost of
	// a message, some 50 µs, and short against what people notice.
	chunkWork = 5 * time.Millisecond

	// chunkBytes bounds the body of a chunk and the expected body of its reply, in
	// bytes. It is half of the default max_payload of NATS.
	chunkBytes = 512 << 10

	// heldBytes bounds the replies in flight and the results held back for the sake
	// of order, in bytes.
	heldBytes = 32 << 20

	// memoBytes bounds the results that are kept for equal items, in bytes.
	memoBytes = 4 << 20

	// linger is how long a chunk waits to be filled while others are in flight.
	linger = 2 * time.Millisecond

	// outage is how long items are sent again while there is no instance to take them.
	outage = 3 * time.Second

	// maxAttempts is how often one item is sent when instances leave before they
	// answer: one of them may leave because of the item.
	maxAttempts = 4
)

// Config says how a batch is run. The zero value is usable.
type Config struct {
	// Pure says that equal requests have equal results, so that items may travel
	// together, be sent again and be computed once for all that are equal.
	Pure bool
	// Ordered delivers outcomes in the order of the items, otherwise as they come.
	Ordered bool
	// InFlight is the number of items that may be read and not delivered; zero means
	// [DefaultInFlight].
	InFlight int
	// Patience is how long items are sent again that the service refuses for lack of
	// room while it takes no others; zero means [contract.DefaultTimeout].
	Patience time.Duration
}

func (c Config) withDefaults() Config {
	if c.InFlight <= 0 {
		c.InFlight = DefaultInFlight
	}
	if c.Patience <= 0 {
		c.Patience = contract.DefaultTimeout
	}
	return c
}

// maxItems returns the largest number of items in a chunk. Eight chunks fit into what
// may be in flight.
func (c Config) maxItems() int {
	if !c.Pure {
		return 1
	}
	return max(1, min(maxChunk, c.InFlight/8))
}

// Item is one request.
type Item struct {
	// Body is the request as JSON, without line ends.
	Body []byte
	// Fault, if not nil, is the outcome: there is nothing to send.
	Fault *contract.Error
}

// Sink takes the outcomes. Its methods are called by the goroutine that called [Run], one
// at a time, and may block. An error ends the run.
type Sink interface {
	// Deliver takes one outcome. Its result is valid until the call returns.
	Deliver(contract.BatchLine) error
	// Flush is called when no other outcome is there at the moment.
	Flush() error
}

// Reply is the answer to a message.
type Reply struct {
	// Body is the result of a single item, or the lines of a chunk.
	Body []byte
	// Queue and Work are how long the message waited and was worked on.
	Queue, Work time.Duration
}

// Send sends a message and waits for its reply: the request itself for one item, a chunk
// of lines for more. It is called by many goroutines at once and must return soon after
// its context has ended. Errors are [*contract.Error].
type Send func(ctx context.Context, body []byte, items int) (Reply, error)

// Summary says what came of a batch.
type Summary struct {
	// Read is the number of items that were read from the source: those with an index
	// below it have been delivered, unless the sink failed.
	Read int
	// OK and Failed count the outcomes that were delivered.
	OK, Failed int
}

// Run runs a batch until the source has ended and every outcome is delivered. Every item
// that was read has exactly one outcome, a result or an error. When ctx ends, what is in
// flight is cancelled and delivered with the error of ctx, which Run returns. An error of
// the sink ends the run at once, and Run returns it. No goroutine is left behind.
func Run(ctx context.Context, cfg Config, source Source, sink Sink, send Send) (Summary, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := newRun(cfg.withDefaults(), source, sink, send)
	err := r.loop(ctx)
	cancel()
	for ; r.flights > 0; r.flights-- {
		<-r.landed
	}
	return r.summary, err
}
