package floats

import (
	"testing"

	"golang.org/x/sys/cpu"
)

// TestVectorRoots runs each of the assembly functions that this machine can run, not only
// the one that is chosen.
func TestVectorRoots(t *testing.T) {
	t.Parallel()
	kernels := map[string]func(dst, values *float64, n int) bool{}
	if cpu.X86.HasAVX {
		kernels["256"] = roots256
	}
	if cpu.X86.HasAVX512F {
		kernels["512"] = roots512
	}
	for name, roots := range kernels {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, func(dst, values []float64) bool { return roots(&dst[0], &values[0], len(values)) }, 32, 64, 1024)
		})
	}
}
