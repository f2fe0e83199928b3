//go:build !amd64

package floats

// vectorRoots handles no values where there is no assembly.
func vectorRoots([]float64, []float64) (n int, negative bool) { return 0, false }
