package decimal

import (
	"fmt"

	"github.com/seed-649d3d38/heddle/decimal/internal/ntt"
)

// Tiers returns the names of the implementations of the transform that this
// machine can run, the best first. The last one, "scalar", is plain Go. All
// give the same results.
func Tiers() []string {
	var names []string
	for _, tier := range ntt.Tiers() {
		names = append(names, string(tier))
	}
	return names
}

// NewCalculator returns a calculator that uses the given tier instead of the
// best one, with tables and buffers of its own. It returns an error if this
// machine cannot run the tier.
func NewCalculator(tier string) (*Calculator, error) {
	engine, err := ntt.New(ntt.Tier(tier))
	if err != nil {
		return nil, fmt.Errorf("decimal: %w", err)
	}
	return &Calculator{engine: engine}, nil
}

// Idle returns the bytes of the buffers that are kept for the next computation.
// Calculators share them, but for those from NewCalculator.
func (c *Calculator) Idle() int { return c.ntt().Idle() }

// Trim gives these buffers back to the system and forgets long tables, which a
// program does when it will not compute for a while. What stays are a few
// megabytes, and what the garbage collector has yet to find. It may be called
// while others compute.
func (c *Calculator) Trim() { c.ntt().Trim() }
