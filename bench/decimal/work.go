package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/seed-649d3d38/heddle/decimal"
)

// gcPercent makes the collector run less often, as a program that computes would.
const gcPercent = 400

// work is a computation that both programs can do.
type work struct {
	operation string // fibonacci, root or sqrt2
	n         int    // the index, or the number of digits
}

// repetitions makes a round last some tens of milliseconds.
func (w work) repetitions(nsPerDigit int) int { return max(1, 50_000_000/(w.n*nsPerDigit)) }

// theirs computes with GMP.
func (w work) theirs(ctx context.Context, gmp string) (sample, error) {
	return runProgram(ctx, gmp, w.operation, strconv.Itoa(w.n), strconv.Itoa(w.repetitions(10)))
}

// ours computes in this process, once to warm up and then as often as a round takes.
func (w work) ours(ctx context.Context, c *decimal.Calculator) (sample, error) {
	compute := w.computation(ctx, c)
	text, err := compute(nil)
	if err != nil {
		return sample{}, err
	}
	reps := w.repetitions(1)
	cpu, wall := processorTime(), time.Now()
	for range reps {
		if text, err = compute(text[:0]); err != nil {
			return sample{}, err
		}
	}
	elapsed := time.Since(wall)
	return sample{
		cpu:  float64(processorTime()-cpu) / float64(reps),
		wall: float64(elapsed) / float64(reps),
		hash: hashOf(text),
	}, nil
}

func hashOf(text []byte) string {
	h := fnv.New64a()
	h.Write(text)
	return fmt.Sprintf("%016x", h.Sum64())
}

// computation returns a function that appends the result to its argument.
func (w work) computation(ctx context.Context, c *decimal.Calculator) func([]byte) ([]byte, error) {
	switch w.operation {
	case "fibonacci":
		return func(dst []byte) ([]byte, error) {
			x, err := c.Fibonacci(ctx, int64(w.n))
			return x.AppendDecimal(dst), err
		}
	case "root":
		in := digits(w.n)
		return func(dst []byte) ([]byte, error) {
			x, err := decimal.Parse(in)
			if err != nil {
				return nil, err
			}
			root, _, err := c.Sqrt(ctx, x)
			return root.AppendDecimal(dst), err
		}
	default:
		return func(dst []byte) ([]byte, error) {
			root, _, err := c.Root(ctx, decimal.FromInt64(2), decimal.FromInt64(1), w.n, decimal.Down)
			return root.AppendDecimal(dst), err
		}
	}
}

// digits returns the number under the root, the same as the peer's.
func digits(n int) []byte {
	in := make([]byte, n)
	for i := range in {
		in[i] = byte('0' + (i*7+i/10+1)%10)
	}
	in[0] = '7'
	return in
}

// processorTime returns the time that all threads of the process have used.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // unreachable: the arguments are right
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// childName is the first argument of a process that computes once.
const childName = "child"

// fresh computes in a process of its own, which has no tables and no memory yet.
func (w work) fresh(ctx context.Context, text bool) (sample, error) {
	self, err := os.Executable()
	if err != nil {
		return sample{}, err
	}
	return runProgram(ctx, self, childName, w.operation, strconv.Itoa(w.n), strconv.FormatBool(text))
}

// child is that process.
func child(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("want operation, number and text, got %q", args)
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	debug.SetGCPercent(gcPercent)
	w, c, ctx := work{args[0], n}, new(decimal.Calculator), context.Background()
	before, cpu, wall := resident("VmRSS:"), processorTime(), time.Now()
	var text []byte
	var x decimal.Int
	switch {
	case args[2] == "true":
		text, err = w.computation(ctx, c)(nil)
	case w.operation == "fibonacci":
		x, err = c.Fibonacci(ctx, int64(n))
	default:
		x, _, err = c.Root(ctx, decimal.FromInt64(2), decimal.FromInt64(1), n, decimal.Down)
	}
	if err != nil {
		return err
	}
	elapsed, used, peak := time.Since(wall), processorTime()-cpu, resident("VmHWM:")-before
	runtime.KeepAlive(x)
	fmt.Println(used.Nanoseconds(), elapsed.Nanoseconds(), hashOf(text), peak)
	return nil
}

// resident reads a size in bytes from the kernel's account of this process, 0 if there is
// none.
func resident(key string) int {
	text, _ := os.ReadFile("/proc/self/status") // without it there is no key
	_, after, _ := strings.Cut(string(text), key)
	field, _, _ := strings.Cut(strings.TrimSpace(after), " ")
	kilobytes, _ := strconv.Atoi(field)
	return kilobytes << 10
}
