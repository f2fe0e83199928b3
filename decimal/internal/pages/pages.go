// Package pages allocates long vectors so that their first use is cheap.
//
// Memory that a program touches for the first time costs a page fault for every
// 4 KB, which takes longer than most of what a computation then does with those
// bytes: 0.1 to 0.5 µs on a machine of one's own, up to 17 µs in a virtual one.
// A huge page costs one fault for 2 MB. Where the system gives huge pages only to
// those who ask, this package asks.
//
// The memory belongs to the garbage collector like any other. It is no allocator
// and no pool: what is freed goes where the collector puts it.
//
//	limbs := pages.Words(n) // as make([]uint64, n)
package pages

import (
	"context"
	"unsafe"
)

// huge is the size of a huge page in bytes.
const huge = 2 << 20

// long is the number of bytes from which a vector gets huge pages. A shorter one would
// waste most of the last page.
const long = 1 << 20

// Words returns n zero words. The capacity is n, so that it tells the memory.
func Words(n int) []uint64 { return WordsFor(context.Background(), n) }

// WordsFor is Words for a computation that ends with ctx: the first touch of what follows
// is then left to whoever uses the words, which nobody will.
func WordsFor(ctx context.Context, n int) []uint64 {
	if 8*n < long || !asked() {
		return make([]uint64, n)
	}
	size := (8*n + huge - 1) &^ (huge - 1)
	words := make([]uint64, (size+huge)/8-1) // room to begin at a huge page
	start := unsafe.Pointer(unsafe.SliceData(words))
	skip := int(-uintptr(start) & (huge - 1) / 8)
	back(ctx, unsafe.Slice((*byte)(unsafe.Add(start, 8*skip)), size))
	return words[skip : skip+n : skip+n]
}

// Clone returns a copy of a, of undefined content if ctx ends before it is made.
func Clone(ctx context.Context, a []uint64) []uint64 {
	z := WordsFor(ctx, len(a))
	for lo := 0; lo < len(a) && ctx.Err() == nil; lo += huge / 8 {
		hi := min(lo+huge/8, len(a))
		copy(z[lo:hi], a[lo:hi])
	}
	return z
}

// Bytes returns n zero bytes.
func Bytes(n int) []byte {
	if n < long {
		return make([]byte, n)
	}
	words := Words((n + 7) / 8)
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), n)
}
