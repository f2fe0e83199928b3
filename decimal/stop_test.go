package decimal_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/seed-649d3d38/heddle/decimal"
)

// watched is a context that knows which phase of a computation looks at it. It ends when the
// phase named last looks for the first time.
type watched struct {
	context.Context
	phases []string // parts of the names of functions
	last   string   // "" for a context that never ends

	mu    sync.Mutex
	looks map[string]int
	done  bool
	after int // looks after the end
}

func (w *watched) Err() error {
	var counters [16]uintptr
	frames := runtime.CallersFrames(counters[:runtime.Callers(2, counters[:])])
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done {
		w.after++
		return context.Canceled
	}
	for more := true; more; {
		var frame runtime.Frame
		frame, more = frames.Next()
		for _, phase := range w.phases {
			if strings.Contains(frame.Function, phase) {
				w.looks[phase]++
				w.done = w.done || phase == w.last
			}
		}
	}
	if w.done {
		return context.Canceled
	}
	return nil
}

// mostAfter is how often a computation may look once its context has ended: each loop it
// is inside of, of two goroutines, looks a last time or two.
const mostAfter = 64

// looking runs a computation that never ends and counts the looks of each phase, then ends
// it in each of them. A phase must look at least so often: its length divided by what takes
// a few milliseconds.
func looking(t *testing.T, least map[string]int, compute func(ctx context.Context, c *decimal.Calculator) error) {
	t.Helper()
	var phases []string
	for phase := range least {
		phases = append(phases, phase)
	}
	for _, tier := range decimal.Tiers() {
		for _, last := range append([]string{""}, phases...) {
			c, err := decimal.NewCalculator(tier) // without tables
			if err != nil {
				t.Fatal(err)
			}
			w := &watched{Context: t.Context(), phases: phases, last: last, looks: map[string]int{}}
			err = compute(w, c)
			if last != "" {
				checkUnharmed(t, c)
				if !errors.Is(err, context.Canceled) || w.after > mostAfter {
					t.Errorf("%s, ended in %s: error %v after %d more looks, want the context's after at most %d", tier, last, err, w.after, mostAfter)
				}
				continue
			}
			c.Trim()
			if err != nil {
				t.Fatalf("%s: %v", tier, err)
			}
			for phase, n := range least {
				if w.looks[phase] < n {
					t.Errorf("%s: %s looks at its context %d times, want at least %d", tier, phase, w.looks[phase], n)
				}
			}
		}
	}
}

// checkUnharmed computes with what a computation has left behind that was ended.
func checkUnharmed(t *testing.T, c *decimal.Calculator) {
	t.Helper()
	x, err := c.Fibonacci(t.Context(), 100_000)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := hashOf(t, x), "9fe22f691a91170da9006226d479ad986b2f92021b7045ecfb0a5091b641b802"; got != want {
		t.Errorf("F(10^5) afterwards: SHA-256 %s, want %s", got, want)
	}
}

// TestFibonacciStopsInEveryPhase computes a term of 0.8 million limbs.
func TestFibonacciStopsInEveryPhase(t *testing.T) {
	t.Parallel()
	const limbs = 788_000
	looking(t, map[string]int{
		"ntt.doubling":        2 * limbs / 8 >> 15,
		"ntt.newTables":       2 * limbs / 4 >> 15,
		"(*course).place":     8 * limbs >> 15,
		"(*course).reduce":    limbs >> 15,
		"(*course).pass":      8 * limbs >> 19,
		"(*course).weave":     8 * limbs >> 13,
		"(*course).merge":     2 * limbs >> 15,
		"composeRange":        2 * limbs >> 15,
		"(*Plan).FibDouble":   4 * limbs >> 15,
		"(*longPair).advance": 2 * limbs / 4 >> 17,
		"(*prime).residue":    limbs >> 17,
	}, func(ctx context.Context, c *decimal.Calculator) error {
		_, err := c.Fibonacci(ctx, 41_500_001)
		return err
	})
}
