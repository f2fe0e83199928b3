package fib_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/services/fibonacci/fib"
	"github.com/seed-649d3d38/heddle/solver"
)

// TestSequences compares sequences with single terms, written out and as a host sends
// them, whole and in parts.
func TestSequences(t *testing.T) {
	t.Parallel()
	op := fib.Service().Operations[1]
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.OneOf(rapid.Int64Range(-30, 30), rapid.Int64Range(-40_000, 40_000)).Draw(t, "from")
		to := from + rapid.Int64Range(0, 40).Draw(t, "more")
		request := contract.SequenceRequest{From: contract.NewInteger(from), To: contract.NewInteger(to)}
		want, err := fib.SolveSequence(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		if len(want.Terms) != int(to-from)+1 {
			t.Fatalf("F(%d) to F(%d) are %d terms", from, to, len(want.Terms))
		}
		for i, got := range want.Terms {
			single := solve(t, contract.TermRequest{N: contract.NewInteger(from + int64(i))})
			if got.N != single.N || got.Value != single.Value {
				t.Fatalf("F(%s) = %.60s in the sequence, F(%s) = %.60s", got.N, got.Value, single.N, single.Value)
			}
		}
		long := hosted(t, op, &request).(solver.Long)
		checkParts(t, long.Encode(contract.MediaJSON), encode(t, want))
		checkParts(t, long.Encode(contract.MediaNDJSON), want.AppendLines(nil))
		checkParts(t, long.Encode(contract.MediaText), want.AppendPlain(nil))
		if cost := op.Estimate(&request); cost.Light || long.Memory() > cost.Memory {
			t.Fatalf("F(%d) to F(%d) hold %d bytes; estimated is %+v", from, to, long.Memory(), cost)
		}
	})
}

func TestSequenceRefusals(t *testing.T) {
	t.Parallel()
	op := fib.Service().Operations[1]
	for _, c := range []struct{ from, to, field, words string }{
		{"", "1", "from", "missing"},
		{"1", "", "to", "missing"},
		{"2", "1", "to", "below from"},
		{"-1", "-2", "to", "below from"},
		{"1", "10001", "to", "at most 9999 above"},
		{"-5000", "5000", "to", "at most 9999 above"},
		{"1234567890123456789", "1234567890123456789", "from", "18 digits"},
		{"0", strings.Repeat("9", 10_000), "to", "18 digits"},
		{"-4000000001", "-4000000001", "from", "4000000000"},
		{"3999999999", "4000000001", "to", "4000000000"},
	} {
		request := contract.SequenceRequest{From: contract.Integer(c.from), To: contract.Integer(c.to)}
		err := request.Validate()
		if err == nil {
			if !op.Estimate(&request).Light {
				t.Errorf("%s to %s: the refusal should not wait for a slot", c.from, c.to)
			}
			_, err = fib.SolveSequence(t.Context(), request)
		}
		e := contract.FromError(err)
		if e.Code != contract.CodeInvalidArgument || e.Field != c.field || !strings.Contains(e.Detail, c.words) {
			t.Errorf("%.20s to %.20s: %v, want %s at fault and the words %q", c.from, c.to, err, c.field, c.words)
		}
	}
}

// TestLongestSequence is as long as one may be.
func TestLongestSequence(t *testing.T) {
	t.Parallel()
	request := contract.SequenceRequest{From: "-4999", To: "5000"}
	if err := request.Validate(); err != nil {
		t.Fatal(err)
	}
	result, err := fib.SolveSequence(t.Context(), request)
	if err != nil || len(result.Terms) != contract.MaxSequenceTerms {
		t.Fatalf("%d terms, %v", len(result.Terms), err)
	}
	for i := 2; i < len(result.Terms); i++ { // F(n) = F(n-1) + F(n-2) for all n
		sum := result.Terms[i-1].Value.Big()
		if sum.Add(sum, result.Terms[i-2].Value.Big()).Cmp(result.Terms[i].Value.Big()) != 0 {
			t.Fatalf("F(%s) is not the sum of the two before", result.Terms[i].N)
		}
	}
}

func TestCanceledSequence(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := fib.SolveSequence(ctx, contract.SequenceRequest{From: "100000", To: "100100"})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want it canceled", err)
	}
}
