package fib_test

import (
	"io"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
	"github.com/seed-649d3d38/heddle/solver"
)

// hosted solves a request as a host does.
func hosted(t fataler, op solver.Operation, request any) any {
	t.Helper()
	if err := op.Validate(request); err != nil {
		t.Fatalf("%.60v: %v", request, err)
	}
	result, err := op.Solve(t.Context(), request)
	if err != nil {
		t.Fatalf("%.60v: %v", request, err)
	}
	return result
}

// TestLongTerms compares what a host sends of a long term, whole and in parts, with the
// same term written out.
func TestLongTerms(t *testing.T) {
	t.Parallel()
	op := fib.Service().Operations[0]
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.OneOf(rapid.Int64Range(2001, 60_000), rapid.Int64Range(-60_000, -2001)).Draw(t, "n")
		request := contract.TermRequest{N: contract.NewInteger(n)}
		long, ok := hosted(t, op, &request).(solver.Long)
		if !ok {
			t.Fatalf("F(%d) is not long", n)
		}
		want := solve(t, request)
		checkParts(t, long.Encode(contract.MediaText), want.AppendPlain(nil))
		checkParts(t, long.Encode(contract.MediaJSON), encode(t, want))
		cost := op.Estimate(&request)
		if held := long.Memory(); held < int64(want.Digits)/3 || held > cost.Memory {
			t.Fatalf("F(%d) has %d digits in %d bytes; estimated are %d for all", n, want.Digits, held, cost.Memory)
		}
	})
}

// checkParts reads a text whole and in parts.
func checkParts(t *rapid.T, text solver.Encoded, want []byte) {
	t.Helper()
	got, err := io.ReadAll(io.NewSectionReader(text, 0, text.Size()))
	if err != nil || string(got) != string(want) || text.Size() != int64(len(want)) {
		t.Fatalf("%d bytes %.60s, size %d, %v; want %d bytes %.60s", len(got), got, text.Size(), err, len(want), want)
	}
	for range 10 {
		from := rapid.IntRange(0, len(want)).Draw(t, "from")
		part := make([]byte, rapid.IntRange(0, len(want)-from).Draw(t, "length"))
		if n, err := text.ReadAt(part, int64(from)); n != len(part) || err != nil || string(part) != string(want[from:from+n]) {
			t.Fatalf("%d bytes at %d of %d: %.60q, %v; want %.60q", len(part), from, len(want), part, err, want[from:from+len(part)])
		}
	}
}

// TestShortTermsAreWrittenOut checks that what fits is not made long.
func TestShortTermsAreWrittenOut(t *testing.T) {
	t.Parallel()
	op := fib.Service().Operations[0]
	for _, request := range []contract.TermRequest{{N: "0"}, {N: "-2000"}, {N: "5000", Modulus: "10"}} {
		if got, want := hosted(t, op, &request), solve(t, request); got != any(want) {
			t.Errorf("F(%s): got %v, want %v", request.N, got, want)
		}
	}
}
