package ntt

import (
	"syscall"
	"unsafe"
)

// hugePage is the size of a huge page in bytes. Touching one costs one page fault
// instead of 512, and needs one entry of the translation buffer instead of 512.
const hugePage = 8 * LongBuffer

// allocate returns a new long buffer of n words. It is mapped outside the garbage
// collector's heap and stays until it is freed.
func allocate(n int) *buffer {
	size := (8*n + hugePage - 1) &^ (hugePage - 1)
	mapped, err := syscall.Mmap(-1, 0, size+hugePage, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil { // over a limit of mappings or of memory: let the runtime decide
		return &buffer{words: make([]uint64, n)}
	}
	skip := -uintptr(unsafe.Pointer(unsafe.SliceData(mapped))) & (hugePage - 1)
	aligned := mapped[skip:][:size]
	_ = syscall.Madvise(aligned, syscall.MADV_HUGEPAGE) // advice only: small pages work too
	return &buffer{
		words: unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(aligned))), size/8),
		free:  func() { _ = syscall.Munmap(mapped) }, // fails only for a bad argument
	}
}
