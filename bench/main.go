// Command bench measures what Heddle promises, side by side with the least that one
// would write by hand in its place, and prints the ratios. README.md says what each
// figure means.
//
//	go run . [--quick] [NAME... | all]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run is the program without the process around it.
func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if len(args) > 0 && args[0] == roleWord {
		return play(ctx, args[1:], in, out)
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	quick := flags.Bool("quick", false, "Measure once and briefly: shows that everything works, not how fast.")
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), "use: bench [--quick] [NAME... | all]; the measurements are %s\n", names())
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	e := extent{rounds: 15, runTime: time.Second, warmUp: time.Second, starts: 15, idle: 7, settle: 3 * time.Second,
		lane: 7, overload: 8 * time.Second, shrink: 1, jobs: 7, jobsTime: 2 * time.Second, fairJobs: 200, pile: 100_000, pileRest: 12 * time.Second, largeRounds: 7, rest: largeRest}
	if *quick {
		if _, err := fmt.Fprintln(out, "quick: this shows that everything works; its figures mean nothing"); err != nil {
			return err
		}
		e = extent{rounds: 1, runTime: 100 * time.Millisecond, warmUp: 10 * time.Millisecond, starts: 1, idle: 1,
			lane: 1, overload: 500 * time.Millisecond, shrink: 20, jobs: 1, jobsTime: 200 * time.Millisecond, fairJobs: 10, pile: 1000, largeRounds: 1}
	}
	return measure(ctx, out, e, flags.Args())
}

// extent is how much is measured.
type extent struct {
	rounds  int           // of every comparison
	runTime time.Duration // of one variant in one round
	warmUp  time.Duration // of one variant before the first round
	starts  int           // of every program whose start is timed
	idle    int           // starts of every program whose memory is read
	settle  time.Duration // before the memory is read

	lane     int           // rounds of the lane's comparisons
	overload time.Duration // of one overload
	shrink   float64       // by which the work of the lane's comparisons is made smaller

	jobs     int           // rounds of the comparisons of jobs
	jobsTime time.Duration // of one variant in one of them
	fairJobs int           // of the victim in one round
	pile     int           // jobs that are queued at once, for the broker's memory
	// pileRest is the time before that is read; the broker keeps what it wrote in memory for 10 s.
	pileRest time.Duration

	largeRounds int           // of every large term
	rest        time.Duration // after large terms, before the memory is read
}

// measurement is a part of the measurements that can be run alone.
type measurement struct {
	name string
	// suite are the packages of Heddle's programs that it runs.
	suite []string
	run   func(*bench, context.Context) error
}

func measurements() []measurement {
	return []measurement{
		{"kit", nil, (*bench).kit},
		{"gateway", []string{"./gateway", "./services/fibonacci"}, (*bench).gateway},
		{"batch", []string{"./gateway", "./services/fibonacci"}, (*bench).batch},
		{"cancel", []string{"./gateway"}, (*bench).cancel},
		{"lane", nil, (*bench).lane},
		{"jobs", nil, (*bench).jobs},
		{"fair", nil, (*bench).fair},
		{"large", []string{"./gateway", "./services/fibonacci"}, (*bench).large},
		{"results", nil, (*bench).results},
		{"start", []string{".", "./gateway", "./services/fibonacci", "./services/sqrt", "./services/crawler"}, (*bench).start},
		{"jobs-list", nil, (*bench).jobsList},
		{"celery", []string{"./gateway", "./services/sqrt"}, (*bench).celery},
	}
}

// names returns the names of all measurements, for a person.
func names() string {
	var all []string
	for _, m := range measurements() {
		all = append(all, m.name)
	}
	return strings.Join(all, ", ")
}

// choose returns the measurements of the given names; none means all.
func choose(wanted []string) ([]measurement, error) {
	all := measurements()
	if len(wanted) == 0 || slices.Equal(wanted, []string{"all"}) {
		return all, nil
	}
	var chosen []measurement
	for _, name := range wanted {
		i := slices.IndexFunc(all, func(m measurement) bool { return m.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no measurement %q; there are %s, and all of them", name, names())
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// measure runs the measurements of the given names.
func measure(ctx context.Context, out io.Writer, e extent, wanted []string) (err error) {
	chosen, err := choose(wanted)
	if err != nil {
		return err
	}
	var suite []string
	for _, m := range chosen {
		suite = append(suite, m.suite...)
	}
	slices.Sort(suite)
	b, err := newBench(ctx, out, e, slices.Compact(suite))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.printMachine(ctx); err != nil {
		return err
	}
	for _, m := range chosen {
		if err := m.run(b, ctx); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return nil
}
