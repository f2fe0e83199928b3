package figure_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-649d3d38/heddle/bench/figure"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		series figure.Series
		want   float64
	}{
		{figure.Series{3}, 3},
		{figure.Series{9, 1, 5}, 5},
		{figure.Series{4, 1, 3, 2}, 2.5},
		{nil, math.NaN()},
	} {
		before := slices.Clone(c.series)
		got := c.series.Median()
		if got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("median of %v is %v, want %v", c.series, got, c.want)
		}
		if !slices.Equal(before, c.series) {
			t.Errorf("median changed the series from %v to %v", before, c.series)
		}
	}
}

// TestRatiosAreTakenInsideRounds has a machine that slows down to a tenth: the ratio
// of the medians would say 1, each round says 2.
func TestRatiosAreTakenInsideRounds(t *testing.T) {
	t.Parallel()
	ours, theirs := figure.Series{200, 20, 2}, figure.Series{100, 10, 1}
	if got := ours.Over(theirs); !slices.Equal(got, figure.Series{2, 2, 2}) {
		t.Errorf("ratios %v, want 2 in each round", got)
	}
}

func TestSpread(t *testing.T) {
	t.Parallel()
	if got := (figure.Series{0.95, 0.912, 0.967}).Spread(2); got != "0.91–0.97" {
		t.Errorf("spread is %q", got)
	}
	if got := (figure.Series)(nil).Spread(2); got != "-" {
		t.Errorf("spread of nothing is %q", got)
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i + 1)
	}
	for _, c := range []struct {
		sorted []time.Duration
		share  float64
		want   time.Duration
	}{
		{hundred, 0.5, 50},
		{hundred, 0.99, 99},
		{hundred, 0.991, 100},
		{hundred, 1, 100},
		{hundred[:1], 0.001, 1},
		{hundred[:2], 0.5, 1},
		{nil, 0.5, 0},
	} {
		if got := figure.Percentile(c.sorted, c.share); got != c.want {
			t.Errorf("percentile %v of %d values is %d, want %d", c.share, len(c.sorted), got, c.want)
		}
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	throughput := figure.Goal{Order: figure.AtLeast, Must: 0.80, Aim: 0.92}
	start := figure.Goal{Order: figure.AtMost, Must: 500}
	for _, c := range []struct {
		goal  figure.Goal
		value float64
		want  string
	}{
		{throughput, 0.79, figure.Missed},
		{throughput, 0.80, figure.Met},
		{throughput, 0.92, figure.AimMet},
		{start, 500, figure.Met},
		{start, 1, figure.Met},
		{start, 501, figure.Missed},
		{start, math.NaN(), figure.NoValue},
	} {
		if got := c.goal.Judge(c.value); got != c.want {
			t.Errorf("%v against %+v is %q, want %q", c.value, c.goal, got, c.want)
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	table := figure.NewTable("variant", "req/s", "µs")
	table.Add("bare", "35000", "1.5")
	table.Add("a long name", "7", "-")
	var b strings.Builder
	if err := table.Print(&b); err != nil {
		t.Fatal(err)
	}
	want := "" +
		"variant      req/s   µs\n" +
		"bare         35000  1.5\n" +
		"a long name      7    -\n" +
		"\n"
	if b.String() != want {
		t.Errorf("got:\n%swant:\n%s", b.String(), want)
	}
}

func TestGoals(t *testing.T) {
	t.Parallel()
	var g figure.Goals
	g.Add("throughput ratio", figure.Series{0.9, 0.7, 0.85}, figure.Goal{Order: figure.AtLeast, Must: 0.8, Aim: 0.92}, 2)
	g.Add("start, ms", figure.Series{600}, figure.Goal{Order: figure.AtMost, Must: 500}, 0)
	var b strings.Builder
	if err := g.Print(&b); err != nil {
		t.Fatal(err)
	}
	want := "" +
		"figure            median    min–max    must     aim  verdict\n" +
		"throughput ratio    0.85  0.70–0.90  ≥ 0.80  ≥ 0.92       ok\n" +
		"start, ms            600    600–600   ≤ 500       -   MISSED\n" +
		"\n"
	if b.String() != want {
		t.Errorf("got:\n%swant:\n%s", b.String(), want)
	}
}
