//go:build linux && !race

package decimal_test

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/seed-649d3d38/heddle/decimal"
)

// measureEnv names the computation that a child process measures.
const measureEnv = "DECIMAL_TEST_MEASURE"

// TestEstimatedMemory runs computations in fresh processes and compares the
// growth of their largest resident size with the estimate.
func TestEstimatedMemory(t *testing.T) {
	t.Parallel()
	estimates := map[string]decimal.Estimate{
		"fibonacci 10000000":  decimal.EstimateFibonacci(10_000_000),
		"fibonacci 30000000":  decimal.EstimateFibonacci(30_000_000),
		"fibonacci 100000000": decimal.EstimateFibonacci(100_000_000),
		"root 3000000":        decimal.EstimateRoot(3_000_000),
		"root 10000000":       decimal.EstimateRoot(10_000_000),
	}
	for what, estimate := range estimates {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMeasureMemory$", "-test.v") //nolint:forbidigo // this test as a child process
			child.Env = append(os.Environ(), measureEnv+"="+what)
			out, err := child.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			_, after, _ := strings.Cut(string(out), "peak=")
			field, _, _ := strings.Cut(after, "\n")
			peak, err := strconv.ParseFloat(strings.TrimSpace(field), 64)
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if ratio := float64(estimate.Bytes) / peak; ratio < 0.75 || ratio > 1.25 {
				t.Errorf("estimated %d bytes, measured %.0f", estimate.Bytes, peak)
			}
		})
	}
}

// TestMeasureMemory is the child process of TestEstimatedMemory. On its own it
// measures a short computation.
func TestMeasureMemory(t *testing.T) {
	what := os.Getenv(measureEnv) //nolint:forbidigo // from the parent process
	if what == "" {
		what = "fibonacci 10000"
	}
	operation, number, _ := strings.Cut(what, " ")
	n, err := strconv.Atoi(number)
	if err != nil {
		t.Fatal(err)
	}
	before := status(t, "VmRSS:")
	var x decimal.Int
	if operation == "fibonacci" {
		x, err = decimal.Fibonacci(t.Context(), int64(n))
	} else {
		x, _, err = decimal.Root(t.Context(), decimal.FromInt64(2), decimal.FromInt64(1), n, decimal.Down)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("peak=%d", status(t, "VmHWM:")-before)
	runtime.KeepAlive(x)
}

// status reads a size in bytes from the kernel's account of this process.
func status(t *testing.T, key string) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), key)
	kilobytes, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}
