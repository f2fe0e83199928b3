package root_test

import (
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/sqrt/root"
	"github.com/seed-649d3d38/heddle/solver"
)

// TestLongRoots compares what a host sends of a long root, whole and in parts, with the
// same root written out: with and without a point, with zeros before and after it.
func TestLongRoots(t *testing.T) {
	t.Parallel()
	op := operation(t, "root")
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.OneOf(
			rapid.StringMatching(`[0-9]{1,30}`),
			rapid.StringMatching(`[0-9]{1,30}/[1-9][0-9]{0,30}`),
			rapid.StringMatching(`0\.0{0,80}[0-9]{1,30}`),
			rapid.StringMatching(`[1-9][0-9]{300,400}(\.[0-9]{1,3})?`),
			rapid.StringMatching(`1/1[0-9]{300,400}`),
			rapid.Just("0"),
		).Draw(t, "x")
		request := contract.RootRequest{X: contract.Rational(x), Digits: new(rapid.IntRange(0, 1000).Draw(t, "digits"))}
		want, err := root.SolveRoot(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		result, err := op.Solve(t.Context(), &request)
		if err != nil {
			t.Fatal(err)
		}
		cost := op.Estimate(&request)
		long, ok := result.(solver.Long)
		if ok == cost.Light {
			t.Fatalf("√%s to %d digits: long is %t, light %t", x, *request.Digits, ok, cost.Light)
		}
		if !ok {
			if result != any(want) {
				t.Fatalf("√%s is %v, want %v", x, result, want)
			}
			return
		}
		if long.Memory() > cost.Memory {
			t.Fatalf("√%s has %d bytes; estimated are %d for all", x, long.Memory(), cost.Memory)
		}
		checkParts(t, long.Encode(contract.MediaText), want.Value)
		checkParts(t, long.Encode(contract.MediaJSON), encode(t, want))
	})
}

// checkParts reads a text whole and in parts.
func checkParts(t *rapid.T, text solver.Encoded, want string) {
	t.Helper()
	var got strings.Builder
	_, err := io.Copy(&got, io.NewSectionReader(text, 0, text.Size()))
	if err != nil || got.String() != want || text.Size() != int64(len(want)) {
		t.Fatalf("%.60s, size %d, %v; want %d bytes %.60s", got.String(), text.Size(), err, len(want), want)
	}
	for range 10 {
		from := rapid.IntRange(0, len(want)).Draw(t, "from")
		part := make([]byte, rapid.IntRange(0, len(want)-from).Draw(t, "length"))
		if n, err := text.ReadAt(part, int64(from)); n != len(part) || err != nil || string(part) != want[from:from+n] {
			t.Fatalf("%d bytes at %d of %d: %.60q, %v; want %.60q", len(part), from, len(want), part, err, want[from:from+len(part)])
		}
	}
}
