package ntt

import "testing"

// TestCarvedBuffersAreApart takes short buffers of many lengths from one pool, fills each
// with a number of its own, and looks whether all of them are still there.
func TestCarvedBuffersAreApart(t *testing.T) {
	t.Parallel()
	var p pool
	var taken []*buffer
	for i, n := range []int{1, 7, 8, 9, 1000, LongBuffer - 1, LongBuffer / 2, LongBuffer/2 + 1, 3, LongBuffer, 5} {
		b := p.get(n)
		if len(b.words) < n {
			t.Fatalf("asked for %d words, got %d", n, len(b.words))
		}
		for j := range b.words {
			b.words[j] = uint64(i + 1)
		}
		taken = append(taken, b)
	}
	for i, b := range taken {
		for j, v := range b.words {
			if v != uint64(i+1) {
				t.Fatalf("word %d of buffer %d is %d", j, i, v)
			}
		}
		p.put(b)
	}
	p.trim()
	if p.size() != 0 || len(p.slab) != 0 {
		t.Errorf("after a trim %d bytes are idle and %d words of a slab left", p.size(), len(p.slab))
	}
}

// TestPrepare asks for the tables that the longest product needs before shorter ones.
func TestPrepare(t *testing.T) {
	t.Parallel()
	e, err := New(Scalar)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Prepare(t.Context(), 20_000); err != nil {
		t.Fatal(err)
	}
	before := e.fields[0].built.Load()
	for _, limbs := range []int{100, 5000, 20_000} {
		p, err := e.NewPlan(Shape{Limbs: limbs, Radix: Radix12})
		if err != nil {
			t.Fatal(err)
		}
		z := make([]uint64, limbs)
		if err := p.Square(t.Context(), z, []uint64{7}); err != nil {
			t.Fatal(err)
		}
	}
	if e.fields[0].built.Load() != before {
		t.Error("tables were built again")
	}
}
