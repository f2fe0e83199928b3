package batch

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/seed-649d3d38/heddle/contract"
)

// run is one batch. All its members belong to the goroutine that called [Run]; those
// that send put what came of it into landed.
type run struct {
	cfg    Config
	source Source
	sink   Sink
	send   Send

	grain  *grain
	window *window
	order  *order // nil if outcomes are delivered as they come
	memo   *memo  // nil if equal items may differ

	todo    []*item // read and not in flight
	ended   bool    // the source has no more
	open    int     // items that were read and not delivered
	flights int     // messages in flight
	landed  chan flight
	reply   float64   // bytes of a reply, about
	trouble time.Time // since when nothing has gone well; zero if something has
	starved time.Time // since when a chunk waits to be filled; zero if none does
	unsent  bool      // something was delivered since the last flush
	summary Summary
}

// item is a request on its way.
type item struct {
	index    int
	body     []byte
	equals   *equals // nil without a memo
	attempts int
	alone    bool // to be sent by itself
}

// flight is a message that has come back.
type flight struct {
	items []*item
	reply Reply
	fault *contract.Error
}

func newRun(cfg Config, source Source, sink Sink, send Send) *run {
	r := &run{
		cfg: cfg, source: source, sink: sink, send: send,
		grain: newGrain(cfg.maxItems()), window: newWindow(),
		landed: make(chan flight, maxMessages),
	}
	if cfg.Ordered {
		r.order = newOrder()
	}
	if cfg.Pure {
		r.memo = newMemo()
	}
	return r
}

// loop runs the batch to its end.
func (r *run) loop(ctx context.Context) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		wait, err := r.launch(ctx)
		if err != nil {
			return err
		}
		if r.ended && r.open == 0 {
			return r.flush()
		}
		select { // what is ready goes before a flush
		case f := <-r.landed:
			if err := r.land(f); err != nil {
				return err
			}
			continue
		default:
		}
		if err := r.flush(); err != nil {
			return err
		}
		timer.Reset(wait)
		select {
		case f := <-r.landed:
			err = r.land(f)
		case <-r.ready():
		case <-timer.C:
		case <-ctx.Done():
			return r.abort(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// launch sends as much as may be in flight and returns how long to wait at most until
// there may be more to send without another event.
func (r *run) launch(ctx context.Context) (wait time.Duration, err error) {
	for {
		if err := r.read(); err != nil {
			return 0, err
		}
		select {
		case <-ctx.Done():
			return time.Hour, nil // the loop sees it too
		default:
		}
		if len(r.todo) == 0 || r.flights >= r.limit() {
			return time.Hour, nil
		}
		now := time.Now()
		if pause := r.window.until.Sub(now); pause > 0 {
			return pause, nil
		}
		if wait := r.fillUp(now); wait > 0 {
			return wait, nil
		}
		r.fly(ctx, r.next())
	}
}

// limit returns how many messages may be in flight.
func (r *run) limit() int {
	return max(1, min(int(r.window.now), int(heldBytes/max(r.reply, 1))))
}

// read reads items until there is a chunk of them, and finishes those that need not be
// sent.
func (r *run) read() error {
	for !r.ended && !r.full() {
		n := min(r.grain.now-len(r.todo), r.cfg.InFlight-r.open)
		if n <= 0 {
			return nil
		}
		var items []Item
		items, r.ended = r.source.Take(n)
		for _, i := range items {
			if err := r.begin(i); err != nil {
				return err
			}
		}
		if len(items) < n {
			return nil
		}
	}
	return nil
}

// ready returns a channel that has a value when the source has what is missing to a
// chunk; nil if nothing is.
func (r *run) ready() <-chan struct{} {
	n := min(r.grain.now-len(r.todo), r.cfg.InFlight-r.open)
	if r.ended || r.full() || n <= 0 {
		return nil
	}
	return r.source.Ready(n)
}

// full reports whether too much is held back for the sake of order. What it waits for is
// in flight or to be sent again.
func (r *run) full() bool { return r.order != nil && r.order.bytes > heldBytes }

// begin takes in an item.
func (r *run) begin(i Item) error {
	it := &item{index: r.summary.Read, body: i.Body}
	r.summary.Read++
	r.open++
	if i.Fault != nil {
		return r.finish(it, contract.BatchLine{Error: i.Fault})
	}
	if r.memo != nil {
		equals, joined := r.memo.join(i.Body)
		switch {
		case joined && equals.result != nil:
			return r.finish(it, contract.BatchLine{Result: equals.result})
		case joined:
			equals.waiting = append(equals.waiting, it.index)
			return nil
		}
		it.equals = equals
	}
	r.todo = append(r.todo, it)
	return nil
}

// fillUp returns how long to wait for a chunk to be filled, 0 if it is to go as it is.
func (r *run) fillUp(now time.Time) time.Duration {
	if r.todo[0].alone || len(r.todo) >= r.grain.now || r.ended || r.flights == 0 {
		r.starved = time.Time{}
		return 0
	}
	if r.starved.IsZero() {
		r.starved = now
	}
	wait := linger - now.Sub(r.starved)
	if wait <= 0 {
		r.starved = time.Time{}
	}
	return wait
}

// next takes the items of the next message.
func (r *run) next() []*item {
	n, size := 0, 0
	for n < len(r.todo) && n < r.grain.now {
		it := r.todo[n]
		size += len(it.body) + 1
		if n > 0 && (it.alone || size > chunkBytes) {
			break
		}
		n++
		if it.alone {
			break
		}
	}
	items := r.todo[:n:n]
	r.todo = r.todo[n:]
	return items
}

// fly sends a message.
func (r *run) fly(ctx context.Context, items []*item) {
	body := items[0].body
	if len(items) > 1 {
		body = join(items)
	}
	r.flights++
	go func() {
		reply, err := r.send(ctx, body, len(items))
		f := flight{items: items, reply: reply}
		if err != nil {
			f.fault = contract.FromError(err)
		}
		r.landed <- f // there is room for all in flight
	}()
}

// join writes items as lines.
func join(items []*item) []byte {
	size := 0
	for _, it := range items {
		size += len(it.body) + 1
	}
	body := make([]byte, 0, size)
	for _, it := range items {
		body = append(append(body, it.body...), '\n')
	}
	return body
}

// land takes in what came of a message.
func (r *run) land(f flight) error {
	r.flights--
	if f.fault != nil {
		return r.failAll(f)
	}
	r.trouble = time.Time{}
	if grows := r.grain.observe(len(f.items), f.reply.Work, len(f.reply.Body)); !grows {
		r.window.landed(f.reply.Queue, f.reply.Work)
	}
	r.reply = pessimist(r.reply, float64(len(f.reply.Body)))
	if len(f.items) == 1 {
		return r.finish(f.items[0], contract.BatchLine{Result: f.reply.Body})
	}
	return r.finishLines(f)
}

// finishLines gives each item of a chunk its line.
func (r *run) finishLines(f flight) error {
	rest := f.reply.Body
	for _, it := range f.items {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		l, err := contract.ParseBatchLine(line)
		switch {
		case err != nil:
			l = contract.BatchLine{Error: contract.FromError(err)}
		case l.Done:
			l = contract.BatchLine{Error: contract.Errorf(contract.CodeInternal, "the service left the item out of its answer")}
		}
		if l.Error == nil {
			err = r.finish(it, l)
		} else {
			err = r.fail(it, l.Error, len(f.items))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// failAll deals with a message that was not answered by a result.
func (r *run) failAll(f flight) error {
	switch f.fault.Code {
	case contract.CodeResultTooLarge, contract.CodeRequestTooLarge, contract.CodeDeadlineExceeded:
		r.grain.tooMuch()
	}
	for _, it := range f.items {
		if err := r.fail(it, f.fault, len(f.items)); err != nil {
			return err
		}
	}
	return nil
}

// fail sends an item again, or delivers its error. It was one of so many in its message.
func (r *run) fail(it *item, fault *contract.Error, of int) error {
	if !r.again(it, fault, of) {
		return r.finish(it, contract.BatchLine{Error: fault})
	}
	// Before anything new, in the order of the items.
	at, _ := slices.BinarySearchFunc(r.todo, it.index, func(t *item, index int) int { return t.index - index })
	r.todo = slices.Insert(r.todo, at, it)
	return nil
}

// again reports whether to send an item again, and makes ready for it.
func (r *run) again(it *item, fault *contract.Error, of int) bool {
	switch fault.Code {
	case contract.CodeResourceExhausted: // refused before the work
		return r.backOff(fault, r.cfg.Patience)
	case contract.CodeUnavailable:
		it.attempts++
		it.alone = true
		return r.cfg.Pure && it.attempts < maxAttempts && r.backOff(fault, outage)
	case contract.CodeResultTooLarge, contract.CodeRequestTooLarge, contract.CodeDeadlineExceeded:
		// It may have been the others of the chunk that took the room or the time.
		it.alone = true
		return of > 1
	default:
		return false
	}
}

// backOff waits before more is sent, unless that has not helped for too long.
func (r *run) backOff(fault *contract.Error, patience time.Duration) bool {
	now := time.Now()
	if r.trouble.IsZero() {
		r.trouble = now
	}
	if now.Sub(r.trouble) >= patience {
		return false
	}
	r.window.refused(now, max(fault.RetryAfter, 10*time.Millisecond))
	return true
}

// finish delivers the outcome of an item and of those that are equal to it.
func (r *run) finish(it *item, l contract.BatchLine) error {
	l.Index = it.index
	if err := r.put(l); err != nil || it.equals == nil {
		return err
	}
	for _, index := range r.memo.settle(it.equals, l) {
		l.Index = index
		if err := r.put(l); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) put(l contract.BatchLine) error {
	if r.order != nil {
		return r.order.put(l, r.deliver)
	}
	return r.deliver(l)
}

// deliver hands an outcome to the sink; then its place is free.
func (r *run) deliver(l contract.BatchLine) error {
	if err := r.sink.Deliver(l); err != nil {
		return err
	}
	r.open--
	r.unsent = true
	if l.Error != nil {
		r.summary.Failed++
	} else {
		r.summary.OK++
	}
	return nil
}

func (r *run) flush() error {
	if !r.unsent {
		return nil
	}
	r.unsent = false
	return r.sink.Flush()
}

// abort delivers what is there when ctx has ended, and its error for the rest.
func (r *run) abort(ctx context.Context) error {
	fault := contract.FromError(ctx.Err())
	for r.flights > 0 {
		f := <-r.landed
		if f.fault == nil {
			if err := r.land(f); err != nil {
				return err
			}
			continue
		}
		r.flights--
		r.todo = append(r.todo, f.items...)
	}
	for _, it := range r.todo {
		if err := r.finish(it, contract.BatchLine{Error: fault}); err != nil {
			return err
		}
	}
	r.todo = nil
	if err := r.flush(); err != nil {
		return err
	}
	return ctx.Err()
}
