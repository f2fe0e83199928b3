package ntt

import "sync"

// pool keeps buffers for reuse, so that a large computation does not touch fresh
// memory at every step.
type pool struct {
	mu   sync.Mutex
	free [][]uint64
}

// get returns a buffer of n words with unspecified content: the smallest free
// one that is long enough but not more than twice as long, or a new one.
func (p *pool) get(n int) []uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	best := -1
	for i, b := range p.free {
		if cap(b) >= n && cap(b) <= 2*n && (best < 0 || cap(b) < cap(p.free[best])) {
			best = i
		}
	}
	if best < 0 {
		return make([]uint64, n)
	}
	b := p.free[best]
	last := len(p.free) - 1
	p.free[best] = p.free[last]
	p.free[last] = nil
	p.free = p.free[:last]
	return b[:n]
}

// put takes a buffer back.
func (p *pool) put(b []uint64) {
	if cap(b) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, b[:cap(b)])
}

// trim forgets all free buffers.
func (p *pool) trim() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = nil
}
