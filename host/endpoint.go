package host

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/strict"
	"github.com/seed-649d3d38/heddle/solver"
)

// endpoint takes the requests of one operation, one by one or in chunks.
type endpoint struct {
	service   *service
	operation solver.Operation
	spec      contract.Descriptor
	name      string // in service discovery and in the lane
	subject   string
	chunks    bool     // takes chunks
	offers    []string // media types of results
	metadata  map[string]string
	instance  []string // value of the instance header, shared by all replies
	sub       *nats.Subscription
	stats     stats
	tracer    trace.Tracer
	recorder  *recorder // nil without metrics
}

func newEndpoint(s *service, op solver.Operation, tracer trace.Tracer, r *recorder) (*endpoint, error) {
	metadata, err := metadata(op.Endpoint)
	if err != nil {
		return nil, err
	}
	subject := op.Endpoint.Subject()
	if s.host.jobsOnly {
		subject = contract.ItemSubject(op.Endpoint.Service, op.Endpoint.Operation)
	}
	return &endpoint{
		service:   s,
		operation: op,
		spec:      op.Endpoint,
		name:      op.Endpoint.Operation,
		subject:   subject,
		offers:    op.Endpoint.Media(),
		metadata:  metadata,
		instance:  []string{s.identity.ID},
		tracer:    tracer,
		recorder:  r,
	}, nil
}

// receive handles one request in the dispatcher goroutine of the subscription. It
// never blocks: heavy work continues in a goroutine of the host.
func (e *endpoint) receive(ctx context.Context, m *nats.Msg) {
	c := newCall(m, time.Now())
	if err := e.prepare(c); err != nil {
		e.fail(ctx, c, err)
		return
	}
	if c.cost.Light {
		c.beginAtOnce()
		e.work(ctx, c)
		return
	}
	e.admit(ctx, c)
}

// admit finds a slot for a heavy request: one of this instance, or through the lane one
// of any instance, or else a place in the waiting room here.
func (e *endpoint) admit(ctx context.Context, c *call) {
	switch s := e.service; {
	case s.gate.try():
		e.spawn(ctx, c, func(context.Context) error { return nil })
	case s.lane.Hand(c.entry(e)):
		e.recorder.handOver(ctx)
	default:
		e.keep(ctx, c)
	}
}

// keep lets a heavy request wait here.
func (e *endpoint) keep(ctx context.Context, c *call) {
	if !e.service.gate.enter() {
		e.fail(ctx, c, full())
		return
	}
	e.spawn(ctx, c, e.service.gate.wait)
}

// spawn runs a heavy request in a goroutine of the host, once acquire has a slot for it.
// After the end of the drain there are no more goroutines, and the caller is told.
func (e *endpoint) spawn(ctx context.Context, c *call, acquire func(context.Context) error) {
	if !e.service.host.spawn(func() { e.heavy(ctx, c, acquire) }) {
		e.fail(ctx, c, leaving())
	}
}

// prepare decodes, validates and weighs the request, or opens the chunk.
func (e *endpoint) prepare(c *call) (err error) {
	if e.chunks {
		return e.openChunk(c)
	}
	if err := e.checkSize(c.message.Data); err != nil {
		return err
	}
	if err := c.readHeaders(e); err != nil {
		return err
	}
	c.request, c.cost, err = e.read(c.message.Data)
	return err
}

// checkSize refuses the body of a request that is too large.
func (e *endpoint) checkSize(body []byte) error {
	if len(body) > e.spec.MaxRequest {
		return contract.Errorf(contract.CodeRequestTooLarge, "the request has %d bytes; at most %d are taken", len(body), e.spec.MaxRequest)
	}
	return nil
}

// read decodes, validates and weighs the body of a request.
func (e *endpoint) read(body []byte) (request any, cost solver.Cost, err error) {
	defer caught(&err)
	request = e.operation.New()
	if err := strict.Decode(body, request); err != nil {
		return nil, cost, err
	}
	if err := e.operation.Validate(request); err != nil {
		return nil, cost, err
	}
	cost = e.operation.Estimate(request)
	budget := e.service.host.memory.budget
	if cost.Result > budget {
		return nil, cost, resultTooLarge(cost.Result, budget)
	}
	if cost.Memory > budget {
		return nil, cost, contract.Errorf(contract.CodeInvalidArgument,
			"the request needs about %s of memory and this instance may use %s; ask for less or start it with more --memory",
			size(cost.Memory), size(budget))
	}
	return request, cost, nil
}

// heavy solves a request in a slot, within its time.
func (e *endpoint) heavy(ctx context.Context, c *call, acquire func(context.Context) error) {
	ctx, cancel := context.WithDeadline(ctx, c.deadline)
	defer cancel()
	ctx, leave := e.service.cancels.join(ctx, c.message.Reply)
	defer leave()
	// The caller hears of the end of its time at once, even from a solver that does
	// not look at its context. So does one that has cancelled the request.
	told := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(told)
		e.fail(ctx, c, ctx.Err())
	})
	defer func() {
		if !stop() {
			<-told
		}
	}()

	gate, memory := e.service.gate, e.service.host.memory
	if err := acquire(ctx); err != nil {
		return
	}
	slots := int64(1)
	defer func() { gate.release(slots) }()
	if ctx.Err() != nil {
		return // it was cancelled in the lane
	}
	c.weigh(e)
	if err := memory.reserve(ctx, c.cost.Memory); err != nil {
		return
	}
	c.reserved = c.cost.Memory
	defer func() { memory.release(c.reserved) }() // less what a handle took over
	slots += gate.more(c.cost.Slots - 1)
	c.begin()
	e.work(solver.WithSlots(ctx, int(slots)), c)
	gate.note(time.Duration(c.waited.Load()))
}

// work solves the request and answers it.
func (e *endpoint) work(ctx context.Context, c *call) {
	ctx, span := e.startSpan(ctx, c)
	body, err := e.answer(ctx, c)
	if err != nil {
		e.fail(ctx, c, err)
	} else {
		e.succeed(ctx, c, body)
	}
	endSpan(span, err)
}

// answer solves the request, or those of the chunk, and returns the body of the reply.
func (e *endpoint) answer(ctx context.Context, c *call) ([]byte, error) {
	if c.chunk != nil {
		return e.solveChunk(ctx, c.chunk)
	}
	result, err := e.solve(ctx, c.request)
	if err != nil {
		return nil, err
	}
	return e.render(c, result)
}

func (e *endpoint) solve(ctx context.Context, request any) (result any, err error) {
	defer caught(&err)
	return e.operation.Solve(ctx, request)
}

// caught, deferred, turns a panic of the solver's code into an error, so that a fault in
// one request does not end the others.
func caught(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
	}
}

// fault returns err as the error the caller gets.
func fault(ctx context.Context, err error) *contract.Error {
	if errors.Is(err, context.Canceled) && errors.Is(context.Cause(ctx), errShutdown) {
		return leaving().WithCause(err)
	}
	return contract.FromError(err)
}

func leaving() *contract.Error {
	e := contract.Errorf(contract.CodeUnavailable, "the instance shut down before the result was there; send the request again")
	e.RetryAfter = time.Second
	return e
}

func lost() *contract.Error {
	e := contract.Errorf(contract.CodeUnavailable, "the instance that kept the request is gone before a slot was free; send the request again")
	e.RetryAfter = time.Second
	return e
}

func full() *contract.Error {
	e := contract.Errorf(contract.CodeResourceExhausted, "all slots are busy and the queue is full; try again later or start more instances")
	e.RetryAfter = time.Second
	return e
}

func resultTooLarge(n, most int64) *contract.Error {
	return contract.Errorf(contract.CodeResultTooLarge, "the result has about %s and this instance may use %s of memory; ask for less or start it with more --memory", size(n), size(most))
}

// size writes a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	default:
		return fmt.Sprintf("%d bytes", n)
	}
}
