package pages

import (
	"bytes"
	"os"
	"sync"
	"syscall"
)

// asked reports whether huge pages are for those who ask. Where everybody has them, or
// nobody, there is nothing to do.
var asked = sync.OnceValue(func() bool {
	mode, err := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled")
	return err == nil && bytes.Contains(mode, []byte("[madvise]"))
})

// back touches b, which starts and ends with a huge page, so that huge pages back what
// was not touched before, until ended returns an error. The advice is withdrawn at once: when the collector gives parts
// of this memory to short-lived small objects, they must not take two megabytes each.
func back(ended func() error, b []byte) {
	if syscall.Madvise(b, syscall.MADV_HUGEPAGE) != nil {
		return // advice only: small pages work too
	}
	for i := 0; i < len(b) && ended() == nil; i += huge {
		b[i] = 0
	}
	_ = syscall.Madvise(b, syscall.MADV_NOHUGEPAGE)
}
