package ntt

import (
	"context"
	"slices"
	"sync"

	"github.com/seed-649d3d38/heddle/decimal/internal/pages"
)

// buffer is memory for residues. Long ones come from the operating system in huge
// pages where that is possible (see allocate): they go back when they are freed, and
// not before.
type buffer struct {
	words []uint64
	free  func() // gives the memory back; nil for memory of the garbage collector
}

// release gives the memory back.
func (b *buffer) release() {
	if b.free != nil {
		b.free()
	}
}

// pool keeps buffers for reuse, so that a large computation does not touch fresh
// memory at every step.
type pool struct {
	mu   sync.Mutex
	idle []*buffer
	slab []uint64 // what is left of the last one, see carve
}

// LongBuffer is the length from which buffers are long: a huge page in words. Long ones
// that are outgrown do not stay.
const LongBuffer = 1 << 18

// get returns a buffer of at least n words with unspecified content: the shortest
// idle one that fits, or a new one. Short requests leave long buffers alone. A new
// long buffer replaces the idle ones that are shorter, because whatever they were
// good for, it will be: so a chain of growing products does not leave its history
// behind.
func (p *pool) get(n int) *buffer {
	p.mu.Lock()
	defer p.mu.Unlock()
	long := n >= LongBuffer
	best := -1
	for i, b := range p.idle {
		fits := len(b.words) >= n && long == (len(b.words) >= LongBuffer)
		if fits && (best < 0 || len(b.words) < len(p.idle[best].words)) {
			best = i
		}
	}
	if best >= 0 {
		b := p.idle[best]
		p.idle = slices.Delete(p.idle, best, best+1)
		return b
	}
	if long {
		p.idle = slices.DeleteFunc(p.idle, func(b *buffer) bool {
			outgrown := len(b.words) >= LongBuffer
			if outgrown {
				b.release()
			}
			return outgrown
		})
	}
	if long {
		return allocate(n)
	}
	return &buffer{words: p.carve(n)}
}

// carve returns n words, fewer than LongBuffer, for a short buffer or table. They
// come from slabs of one huge page, because touching that many small pages takes longer
// than the first short products do. The garbage collector takes a slab back when nobody
// has a part of it. p.mu must be held.
func (p *pool) carve(n int) []uint64 {
	if len(p.slab) < n {
		p.slab = pages.Words(LongBuffer)
	}
	words := p.slab[:n:n]
	p.slab = p.slab[min((n+cacheLine-1)&^(cacheLine-1), len(p.slab)):]
	return words
}

// cacheLine is the number of words that buffers are aligned to.
const cacheLine = 8

// words returns n words of undefined content, of the garbage collector, in huge pages where possible.
func (p *pool) words(ctx context.Context, n int) []uint64 {
	if n >= LongBuffer {
		return pages.Undefined(ctx, n)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.carve(n)
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
	p.idle, p.slab = nil, nil
	p.mu.Unlock()
	for _, b := range idle {
		b.release()
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
