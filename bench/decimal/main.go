// Command decimal measures the decimal package beside GMP, text to text, and what the
// package promises about memory, time and interruption:
//
//	go run ./decimal                     # all rows but the longest: some four minutes
//	go run ./decimal --long              # with F(10^9), which takes GMP more than a minute
//	go run ./decimal --rows 'root|sqrt2' # those whose names match
//
// It needs a C compiler and GMP's headers (apt-get install gcc libgmp-dev). Rounds of both
// programs alternate, their results must be equal, and ratios are taken inside a round.
// Rows for one core compare processor time, which holds on a machine that others use too;
// rows for two cores and cold processes compare elapsed time and want a quiet one.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"regexp"
	"runtime/debug"

	"github.com/seed-649d3d38/heddle/bench/figure"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == childName {
		if err := child(os.Args[2:]); err != nil {
			log.Fatal(err)
		}
		return
	}
	long := flag.Bool("long", false, "measure F(10^9) too, once")
	rows := flag.String("rows", "", "regular expression for the names of the rows to measure; all if empty")
	rounds := flag.Int("rounds", 5, "rounds of each row")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *rows, *rounds, *long); err != nil {
		log.Fatal(err)
	}
}

// row is one line of the table of figures.
type row struct {
	name    string
	goal    figure.Goal
	long    bool
	measure func(ctx context.Context, b *bench) (figure.Series, error)
}

// bench is what the rows share.
type bench struct {
	gmp, floats string // paths of the peers
	rounds      int
	costs       *figure.Table // of both programs
}

func run(ctx context.Context, pattern string, rounds int, long bool) error {
	chosen, err := regexp.Compile(pattern)
	if err != nil {
		return fmt.Errorf("read --rows: %w", err)
	}
	peers, clean, err := buildPeers(ctx)
	if err != nil {
		return err
	}
	defer clean()
	debug.SetGCPercent(gcPercent)
	b := &bench{gmp: peers.gmp, floats: peers.floats, costs: figure.NewTable("row", "theirs", "ours", "min–max of ours")}
	var goals figure.Goals
	for _, r := range allRows() {
		if !chosen.MatchString(r.name) || r.long && !long {
			continue
		}
		if b.rounds = rounds; r.long {
			b.rounds = 1
		}
		series, err := r.measure(ctx, b)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		goals.Add(r.name, series, r.goal, 2)
	}
	if err := b.costs.Print(os.Stdout); err != nil {
		return err
	}
	return goals.Print(os.Stdout)
}
