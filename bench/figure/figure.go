// Package figure turns what rounds of a measurement gave into medians, spreads and
// verdicts, and prints them as plain tables. It measures nothing.
//
//	ratio := ours.Over(theirs) // round by round
//	goal := figure.Goal{Order: figure.AtLeast, Must: 0.80, Aim: 0.92}
//	fmt.Println(ratio.Median(), ratio.Spread(2), goal.Judge(ratio.Median()))
package figure

import (
	"math"
	"slices"
	"strconv"
	"time"
)

// Series holds one value for each round of a measurement, in the order of the rounds.
type Series []float64

// Median returns the middle value, or the mean of the two middle ones. The median of
// an empty series is NaN.
func (s Series) Median() float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(s))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// Over returns the ratio of s to base in each round. Rounds are compared and not
// medians, since the speed of a machine that others use too drifts between rounds. Both
// series must have the same rounds.
func (s Series) Over(base Series) Series {
	ratios := make(Series, len(s))
	for i := range s {
		ratios[i] = s[i] / base[i]
	}
	return ratios
}

// Spread returns the least and the greatest value as text, such as "0.91–0.97".
func (s Series) Spread(decimals int) string {
	if len(s) == 0 {
		return none
	}
	return Number(slices.Min(s), decimals) + "–" + Number(slices.Max(s), decimals)
}

// none stands in a table where there is no value.
const none = "-"

// Number writes a value with so many decimals, and NaN as a dash.
func Number(v float64, decimals int) string {
	if math.IsNaN(v) {
		return none
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// Percentile returns the smallest of the durations that is not exceeded by the given
// share of them (nearest rank), 0 if there are none. They must be sorted; a share lies
// above 0 and up to 1.
func Percentile(sorted []time.Duration, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(share * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}

// Order says which way a figure is good.
type Order string

// The orders, as they are printed in front of a bound.
const (
	AtLeast Order = "≥"
	AtMost  Order = "≤"
)

// Goal is what a figure has to reach. Aim is what it should reach; zero means that
// there is no more to reach.
type Goal struct {
	Order     Order
	Must, Aim float64
}

// The verdicts of [Goal.Judge].
const (
	Missed  = "MISSED"
	Met     = "ok"
	AimMet  = "ok, aim"
	NoValue = "no value"
)

// Judge compares a value with the goal.
func (g Goal) Judge(v float64) string {
	switch {
	case math.IsNaN(v):
		return NoValue
	case !g.reaches(v, g.Must):
		return Missed
	case g.Aim != 0 && g.reaches(v, g.Aim):
		return AimMet
	default:
		return Met
	}
}

func (g Goal) reaches(v, bound float64) bool {
	if g.Order == AtLeast {
		return v >= bound
	}
	return v <= bound
}

// bound writes one bound of the goal, such as "≥ 0.80".
func (g Goal) bound(v float64, decimals int) string {
	if v == 0 {
		return none
	}
	return string(g.Order) + " " + Number(v, decimals)
}
