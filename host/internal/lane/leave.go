package lane

import (
	"context"

	"github.com/nats-io/nats.go"
)

// Empty reports whether nothing waits in the lane, nor anything that this instance handed
// over. It takes one exchange, of half a second at most.
func (l *Lane) Empty(ctx context.Context) bool {
	if l.keeps() > 0 {
		return false
	}
	return l.State(ctx).Depth == 0
}

func (l *Lane) keeps() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.handed)
}

// Stop asks for no more requests. The channel is closed when the last one that was on
// its way has been offered.
func (l *Lane) Stop() <-chan struct{} {
	l.mu.Lock()
	l.stopping = true
	pulls := l.pulls
	l.mu.Unlock()
	stopped := make(chan struct{})
	if pulls == nil {
		close(stopped)
		return stopped
	}
	pulls.SetClosedHandler(func(string) { close(stopped) })
	end := pulls.Drain
	if !l.nc.IsConnected() {
		end = pulls.Unsubscribe // draining would wait for the broker's word
	}
	if err := end(); err != nil {
		// The connection is gone and will deliver nothing more.
		none := make(chan struct{})
		close(none)
		return none
	}
	return stopped
}

// Settle waits until everything that this instance handed over was taken, or its time was
// up, or ctx ends, or the broker is out of reach. It must come when nothing is handed over
// any more.
func (l *Lane) Settle(ctx context.Context) {
	lost := l.nc.StatusChanged(nats.DISCONNECTED, nats.RECONNECTING, nats.CLOSED)
	defer l.nc.RemoveStatusListener(lost)
	if !l.nc.IsConnected() {
		return
	}
	settled := make(chan struct{})
	l.mu.Lock()
	l.settled = settled
	l.settle()
	l.mu.Unlock()
	select {
	case <-settled:
	case <-lost:
	case <-ctx.Done():
	}
}

// Leave leaves to other instances what the broker has stored of what this one handed
// over. They solve what is pure, and tell the callers of the rest.
func (l *Lane) Leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for token, h := range l.handed {
		if h.stored {
			l.drop(token)
		}
	}
	l.settle()
}

// Close ends the work with the lane. Callers whose requests this instance still keeps are
// told that they are lost.
func (l *Lane) Close() {
	l.cancel()
	l.tended.Wait()
	l.mu.Lock()
	l.open, l.stopping = false, true
	pulls := l.pulls
	var rest []*handed
	for token, h := range l.handed {
		l.drop(token)
		rest = append(rest, h)
	}
	l.mu.Unlock()
	for _, h := range rest {
		l.cfg.Refuse(h.Entry, Lost)
	}
	_ = l.notes.Unsubscribe() // fails only on a closed connection
	if pulls != nil {
		_ = pulls.Unsubscribe()
	}
}
