//go:build !linux

package ntt

// allocate returns a new buffer of n words.
func allocate(n int) *buffer { return &buffer{words: make([]uint64, n)} }
