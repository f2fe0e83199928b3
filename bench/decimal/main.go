// Command decimal compares the decimal package with GMP, text to text, and
// prints a table of medians. It needs a C compiler and GMP's headers
// (apt-get install gcc libgmp-dev):
//
//	go run ./bench/decimal            # one core, processor time
//	go run ./bench/decimal -cores 2   # two cores, elapsed time
//
// Rounds of both programs alternate, and their results must be equal.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"hash/fnv"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/seed-649d3d38/heddle/decimal"
)

//go:embed peer/gmp.c
var peerSource []byte

// measure is one row of the table.
type measure struct {
	operation string
	n         int
}

var measures = []measure{
	{"fibonacci", 1_000}, {"fibonacci", 3_000}, {"fibonacci", 10_000}, {"fibonacci", 30_000}, {"fibonacci", 100_000},
	{"fibonacci", 1_000_000}, {"fibonacci", 10_000_000}, {"fibonacci", 100_000_000},
	{"root", 1_000}, {"root", 3_000}, {"root", 10_000}, {"root", 100_000}, {"root", 1_000_000}, {"root", 10_000_000},
	{"sqrt2", 1_000}, {"sqrt2", 10_000}, {"sqrt2", 100_000}, {"sqrt2", 1_000_000}, {"sqrt2", 10_000_000},
}

// sample is the cost of one repetition in nanoseconds and the result's hash.
type sample struct {
	cpu, wall float64
	hash      string
}

func main() {
	cores := flag.Int("cores", 1, "cores to use; 1 compares processor time, 2 elapsed time")
	rounds := flag.Int("rounds", 5, "rounds of each program")
	limit := flag.Int("limit", 10_000_000, "largest index or number of digits")
	only := flag.String("only", "", "operation to measure: fibonacci, root or sqrt2; all if empty")
	flag.Parse()
	if err := run(*cores, *rounds, *limit, *only); err != nil {
		log.Fatal(err)
	}
}

func run(cores, rounds, limit int, only string) error {
	peer, clean, err := buildPeer()
	if err != nil {
		return err
	}
	defer clean()
	debug.SetGCPercent(400)
	fmt.Printf("| operation | n | GMP | decimal | ratio |\n|---|---|---|---|---|\n")
	for _, m := range measures {
		if m.n > limit || only != "" && only != m.operation {
			continue
		}
		theirs, ours, err := m.compare(peer, cores, rounds)
		if err != nil {
			return err
		}
		fmt.Printf("| %s | %d | %v | %v | %.2f |\n", m.operation, m.n, duration(theirs), duration(ours), theirs/ours)
	}
	return nil
}

func duration(ns float64) time.Duration {
	d := time.Duration(ns)
	if d > 10*time.Microsecond {
		return d.Round(d / 1000)
	}
	return d
}

// buildPeer compiles the C program into a temporary directory.
func buildPeer() (path string, clean func(), err error) {
	dir, err := os.MkdirTemp("", "decimal-peer")
	if err != nil {
		return "", nil, err
	}
	clean = func() { os.RemoveAll(dir) }
	source, path := filepath.Join(dir, "peer.c"), filepath.Join(dir, "peer")
	if err = os.WriteFile(source, peerSource, 0o600); err == nil {
		var out []byte
		if out, err = exec.Command("cc", "-O2", "-o", path, source, "-lgmp").CombinedOutput(); err != nil {
			err = fmt.Errorf("build peer: %w\n%s", err, out)
		}
	}
	if err != nil {
		clean()
		return "", nil, err
	}
	return path, clean, nil
}

// compare returns the median costs of both programs.
func (m measure) compare(peer string, cores, rounds int) (theirs, ours float64, err error) {
	var a, b []float64
	for range rounds {
		x, err := m.peer(peer)
		if err != nil {
			return 0, 0, err
		}
		y, err := m.own(cores)
		if err != nil {
			return 0, 0, err
		}
		if x.hash != y.hash {
			return 0, 0, fmt.Errorf("%s %d: results differ", m.operation, m.n)
		}
		if cores == 1 {
			a, b = append(a, x.cpu), append(b, y.cpu)
		} else {
			a, b = append(a, x.wall), append(b, y.wall)
		}
	}
	slices.Sort(a)
	slices.Sort(b)
	return a[len(a)/2], b[len(b)/2], nil
}

// repetitions makes a round last some tens of milliseconds.
func (m measure) repetitions(nsPerDigit int) int { return max(1, 50_000_000/(m.n*nsPerDigit)) }

func (m measure) peer(path string) (sample, error) {
	out, err := exec.Command(path, m.operation, strconv.Itoa(m.n), strconv.Itoa(m.repetitions(10))).Output()
	if err != nil {
		return sample{}, fmt.Errorf("run peer: %w", err)
	}
	fields := strings.Fields(string(out))
	if len(fields) != 3 {
		return sample{}, fmt.Errorf("run peer: unexpected output %q", out)
	}
	var s sample
	if s.cpu, err = strconv.ParseFloat(fields[0], 64); err != nil {
		return sample{}, err
	}
	if s.wall, err = strconv.ParseFloat(fields[1], 64); err != nil {
		return sample{}, err
	}
	s.hash = fields[2]
	return s, nil
}

func (m measure) own(cores int) (sample, error) {
	compute := m.computation(cores)
	text, err := compute(nil)
	if err != nil {
		return sample{}, err
	}
	reps := m.repetitions(1)
	cpu, wall := processorTime(), time.Now()
	for range reps {
		if text, err = compute(text[:0]); err != nil {
			return sample{}, err
		}
	}
	s := sample{cpu: float64(processorTime()-cpu) / float64(reps), wall: float64(time.Since(wall)) / float64(reps)}
	h := fnv.New64a()
	h.Write(text)
	s.hash = fmt.Sprintf("%016x", h.Sum64())
	return s, nil
}

// computation returns a function that appends the result to its argument.
func (m measure) computation(cores int) func([]byte) ([]byte, error) {
	c := &decimal.Calculator{Threads: cores}
	ctx := context.Background()
	in := make([]byte, m.n)
	for i := range in {
		in[i] = byte('0' + (i*7+i/10+1)%10)
	}
	in[0] = '7'
	switch m.operation {
	case "fibonacci":
		return func(dst []byte) ([]byte, error) {
			x, err := c.Fibonacci(ctx, int64(m.n))
			return x.AppendDecimal(dst), err
		}
	case "root":
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
			root, _, err := c.Root(ctx, decimal.FromInt64(2), decimal.FromInt64(1), m.n, decimal.Down)
			return root.AppendDecimal(dst), err
		}
	}
}

// processorTime returns the time that all threads of the process have used.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
