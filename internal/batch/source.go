package batch

import (
	"context"
	"iter"
	"sync"
)

// Source hands out the items of a batch in order. [List] and [Queue] are sources.
type Source interface {
	// Take returns up to n items that are there now, and whether there will be no more
	// after them. It does not block.
	Take(n int) (items []Item, ended bool)
	// Ready returns a channel that has a value when n items are there, or the first one
	// of fewer, or the end.
	Ready(n int) <-chan struct{}
}

// list is a source that has everything.
type list struct {
	length int
	at     func(int) Item
	next   int
}

// List returns a source of so many items.
func List(length int, at func(int) Item) Source { return &list{length: length, at: at} }

// Take implements [Source].
func (l *list) Take(n int) ([]Item, bool) {
	items := make([]Item, min(n, l.length-l.next))
	for i := range items {
		items[i] = l.at(l.next + i)
	}
	l.next += len(items)
	return items, l.next == l.length
}

// Ready implements [Source]. Everything is there from the start.
func (l *list) Ready(int) <-chan struct{} { return nil }

// Queue is a source that one goroutine fills while another one takes from it. A chunk and
// a half of the largest size waits in it at most.
type Queue struct {
	most  int           // items
	ready chan struct{} // has a value when it is worth a look
	room  chan struct{} // has a value when there is room

	mu    sync.Mutex // guards what follows
	items []Item
	bytes int
	want  int // items that are worth a signal
	ended bool
}

const (
	queueItems = maxChunk + maxChunk/2
	queueBytes = 2 * chunkBytes
)

// NewQueue returns an empty queue in which no more items wait than may be in flight, as
// [Config] has it.
func NewQueue(inFlight int) *Queue {
	if inFlight <= 0 {
		inFlight = DefaultInFlight
	}
	return &Queue{most: min(inFlight, queueItems), ready: make(chan struct{}, 1), room: make(chan struct{}, 1), want: 1}
}

// Fill puts all items in, waiting for room, and ends the queue. It returns early when
// ctx ends. It must be called once.
func (q *Queue) Fill(ctx context.Context, items iter.Seq[Item]) {
	defer q.end()
	for item := range items {
		for !q.put(item) {
			select {
			case <-q.room:
			case <-ctx.Done():
				return
			}
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// put adds an item unless the queue is full.
func (q *Queue) put(item Item) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) >= q.most || q.bytes >= queueBytes {
		return false
	}
	q.items = append(q.items, item)
	q.bytes += len(item.Body)
	if len(q.items) == 1 || len(q.items) == q.want || q.bytes >= queueBytes {
		signal(q.ready)
	}
	return true
}

func (q *Queue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
	signal(q.ready)
}

// Take implements [Source].
func (q *Queue) Take(n int) ([]Item, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n = min(n, len(q.items))
	taken := q.items[:n:n]
	q.items = q.items[n:]
	for _, item := range taken {
		q.bytes -= len(item.Body)
	}
	if n > 0 {
		signal(q.room)
	}
	return taken, q.ended && len(q.items) == 0
}

// Ready implements [Source].
func (q *Queue) Ready(n int) <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.want = min(n, q.most)
	if len(q.items) >= q.want {
		signal(q.ready)
	}
	return q.ready
}

// signal leaves a value in a channel that has room for one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // there is one already
	}
}
