package ntt

import "sync"

// buffer is memory for residues. Long ones come from the operating system in huge
// pages where that is possible (see allocate): they go back when they are freed, and
// not before.
type buffer struct {
	words []uint64
	free  func() // gives the memory back; nil for memory of the garbage collector
}

// pool keeps buffers for reuse, so that a large computation does not touch fresh
// memory at every step.
type pool struct {
	mu   sync.Mutex
	idle []*buffer
}

// get returns a buffer of at least n words with unspecified content: the shortest
// idle one that is long enough but not more than twice as long, or a new one.
func (p *pool) get(n int) *buffer {
	p.mu.Lock()
	defer p.mu.Unlock()
	best := -1
	for i, b := range p.idle {
		if len(b.words) >= n && len(b.words) <= 2*n && (best < 0 || len(b.words) < len(p.idle[best].words)) {
			best = i
		}
	}
	if best < 0 {
		return allocate(n)
	}
	b := p.idle[best]
	last := len(p.idle) - 1
	p.idle[best] = p.idle[last]
	p.idle[last] = nil
	p.idle = p.idle[:last]
	return b
}

// put takes a buffer back.
func (p *pool) put(b *buffer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, b)
}

// trim frees all idle buffers.
func (p *pool) trim() {
	p.mu.Lock()
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	for _, b := range idle {
		if b.free != nil {
			b.free()
		}
	}
}

// size returns the number of bytes in idle buffers.
func (p *pool) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, b := range p.idle {
		n += 8 * len(b.words)
	}
	return n
}
