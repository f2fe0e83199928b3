package decimal_test

import (
	"slices"
	"testing"

	"github.com/seed-649d3d38/heddle/decimal"
)

func TestTiers(t *testing.T) {
	t.Parallel()
	if tiers := decimal.Tiers(); !slices.Contains(tiers, "scalar") {
		t.Errorf("tiers %v: the one for every machine is missing", tiers)
	}
	if c, err := decimal.NewCalculator("abacus"); err == nil {
		t.Errorf("calculator %v for an unknown tier", c)
	}
	c, err := decimal.NewCalculator("scalar")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Fibonacci(t.Context(), 50_000); err != nil {
		t.Fatal(err)
	}
	if c.Idle() == 0 {
		t.Error("no buffers are kept")
	}
	if c.Trim(); c.Idle() != 0 {
		t.Errorf("%d bytes kept after Trim", c.Idle())
	}
}
