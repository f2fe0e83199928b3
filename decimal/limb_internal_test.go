package decimal

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestRepackAgreesWithTheGeneralWay compares the conversions between two widths, which
// have loops of their own, with the one that takes digit by digit.
func TestRepackAgreesWithTheGeneralWay(t *testing.T) {
	t.Parallel()
	for _, widths := range [][2]int{{width18, width12}, {width12, width18}, {width11, width12}, {width12, width11}, {width18, width11}} {
		t.Run(fmt.Sprint(widths), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				from, to := widths[0], widths[1]
				a := rapid.SliceOfN(rapid.Uint64Range(0, pow10[from]-1), 0, 100).Draw(t, "limbs")
				a = trim(a)
				want := make([]uint64, (digitsOf(a, from)+to-1)/to)
				repackInto(want, a, from, to)
				if got := repack(a, from, to); !slices.Equal(got, trim(want)) {
					t.Fatalf("%v became %v, want %v", a, got, trim(want))
				}
			})
		})
	}
}
