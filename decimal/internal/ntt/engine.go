package ntt

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// The radices of limbs: as large as two 50-bit primes allow for short and for
// long operands. See [Shape] for the lengths up to which each is good.
const (
	Radix12 uint64 = 1_000_000_000_000 // 12 decimal digits a limb
	Radix11 uint64 = 100_000_000_000   // 11 decimal digits a limb
)

// Tier names an implementation of the inner loops.
type Tier string

// The tiers, best first.
const (
	IFMA   Tier = "ifma"   // AVX-512 IFMA assembly: amd64 with F, BW, DQ, VL and IFMA
	FMA    Tier = "fma"    // AVX2 and FMA assembly: amd64 with both
	Scalar Tier = "scalar" // plain Go, every machine
)

// Tiers returns the tiers that this machine can run, best first.
func Tiers() []Tier { return append(vectorTiers(), Scalar) }

// Engine holds the tables and buffers of one tier. Tables are built when a transform
// first needs them and kept until [Engine.Trim]; buffers are reused. An Engine is safe for concurrent
// use. It must come from [New] or [Default].
type Engine struct {
	tier   Tier
	fields [2]*field
	pool   pool
	setups sync.Map // of setupKey to *setup
}

// New returns an engine of the given tier, with empty tables. It returns an
// error when the machine cannot run that tier.
func New(t Tier) (*Engine, error) {
	if !slices.Contains(Tiers(), t) {
		return nil, fmt.Errorf("new engine: this machine has no tier %q, only %q", t, Tiers())
	}
	e := &Engine{tier: t}
	k := newKernel(t)
	e.fields[0] = newField(newModulus(prime0, 11), k, &e.pool)
	e.fields[1] = newField(newModulus(prime1, 3), k, &e.pool)
	return e, nil
}

// newKernel returns the arithmetic of a tier that this machine can run.
func newKernel(t Tier) kernel {
	if t == Scalar {
		return scalar{}
	}
	return newVectorKernel(t)
}

var defaultEngine = sync.OnceValue(func() *Engine {
	e, err := New(Tiers()[0])
	if err != nil {
		panic(err) // unreachable: New accepts every tier that Tiers lists
	}
	return e
})

// Default returns the engine of the best tier of this machine, always the same.
func Default() *Engine { return defaultEngine() }

// Tier returns the tier the engine runs.
func (e *Engine) Tier() Tier { return e.tier }

// Trim frees idle buffers, long ones at once, short ones at the next garbage
// collection, and forgets tables of more than a million points. It may be called while
// others compute.
func (e *Engine) Trim() {
	e.pool.trim()
	for _, f := range e.fields {
		f.trim()
	}
}

// Prepare builds the tables for results of up to so many limbs, if they are not there.
// Whoever begins with short products and knows how long the last one will be spares
// building tables for every length between. It returns an error when ctx ends.
func (e *Engine) Prepare(ctx context.Context, limbs int) error {
	size := newLayout(limbs).tableSize()
	if e.fields[0].ready(size) != nil && e.fields[1].ready(size) != nil {
		return nil // a goroutine costs as much as a short product
	}
	var wg sync.WaitGroup // the primes build their tables at the same time
	wg.Go(func() { e.fields[1].grow(ctx, size) })
	e.fields[0].grow(ctx, size)
	wg.Wait()
	return stopCause(ctx, "prepare")
}

// Borrow returns n words of unspecified content from the engine's buffers, for what a
// caller computes beside its transforms, and the function that gives them back. It must
// be called once, after which the words must not be used.
func (e *Engine) Borrow(n int) (words []uint64, giveBack func()) {
	b := e.pool.get(n)
	return b.words[:n:n], func() { e.pool.put(b) }
}

// Idle returns the bytes held in idle buffers.
func (e *Engine) Idle() int { return e.pool.size() }
