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
	"strings"
	"unsafe"
)

// huge is the size of a huge page in bytes.
const huge = 2 << 20

// long is the number of bytes from which a vector gets huge pages. A shorter one would
// waste most of the last page.
const long = 1 << 20

// Words returns n zero words. The capacity is n, so that it tells the memory.
func Words(n int) []uint64 {
	if 8*n < long || !asked() {
		return make([]uint64, n)
	}
	size := whole(n)
	words := make([]uint64, (size+huge)/8-1) // room to begin at a huge page
	return backed(func() error { return nil }, unsafe.Pointer(unsafe.SliceData(words)), n)
}

// Undefined returns n words of undefined content for a computation that ends with ctx. They
// are touched huge page by huge page until then; nobody will use those left out. Words has
// the runtime clear memory that was used before, for up to a second if it went back to the
// system in between, and nothing can stop that.
func Undefined(ctx context.Context, n int) []uint64 {
	if 8*n < long || !asked() {
		return make([]uint64, n)
	}
	// A builder is the one way to memory that is not cleared. Its string ends before the
	// words begin, so they are nobody else's.
	const used = 8
	var b strings.Builder
	b.Grow(used + whole(n) + huge)
	b.WriteString("\x00\x00\x00\x00\x00\x00\x00\x00")
	return backed(ctx.Err, unsafe.Add(unsafe.Pointer(unsafe.StringData(b.String())), used), n)
}

// whole returns the bytes of the huge pages that n words take.
func whole(n int) int { return (8*n + huge - 1) &^ (huge - 1) }

// backed returns n words that begin at the first huge page from start on, touched until
// ended returns an error.
func backed(ended func() error, start unsafe.Pointer, n int) []uint64 {
	start = unsafe.Add(start, -uintptr(start)&(huge-1))
	back(ended, unsafe.Slice((*byte)(start), whole(n)))
	return unsafe.Slice((*uint64)(start), n)[:n:n]
}

// Clone returns a copy of a, of undefined content if ctx ends before it is made.
func Clone(ctx context.Context, a []uint64) []uint64 {
	z := Undefined(ctx, len(a))
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
