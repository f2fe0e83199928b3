package contract_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/seed-649d3d38/heddle/contract"
)

func TestFromError(t *testing.T) {
	t.Parallel()
	ours := contract.Invalid("n", "must be above 0")
	for name, c := range map[string]struct {
		err   error
		code  contract.Code
		field string
		cause error
	}{
		"ours":                   {ours, contract.CodeInvalidArgument, "n", nil},
		"ours, wrapped":          {fmt.Errorf("solve: %w", ours), contract.CodeInvalidArgument, "n", nil},
		"ours around a time-out": {ours.WithCause(context.DeadlineExceeded), contract.CodeInvalidArgument, "n", context.DeadlineExceeded},
		"time-out":               {context.DeadlineExceeded, contract.CodeDeadlineExceeded, "", context.DeadlineExceeded},
		"time-out, wrapped":      {fmt.Errorf("work: %w", context.DeadlineExceeded), contract.CodeDeadlineExceeded, "", context.DeadlineExceeded},
		"canceled":               {fmt.Errorf("work: %w", context.Canceled), contract.CodeCanceled, "", context.Canceled},
		"anything else":          {fmt.Errorf("work: %w", io.ErrUnexpectedEOF), contract.CodeInternal, "", io.ErrUnexpectedEOF},
		"a code alone":           {contract.CodeUnavailable, contract.CodeInternal, "", contract.CodeUnavailable},
	} {
		got := contract.FromError(c.err)
		if got.Code != c.code || got.Field != c.field || got.Detail == "" {
			t.Errorf("%s: %v, field %q; want code %s, field %q", name, got, got.Field, c.code, c.field)
		}
		if !errors.Is(got, c.code) {
			t.Errorf("%s: errors.Is does not find the code %s", name, c.code)
		}
		if c.cause != nil && !errors.Is(got, c.cause) {
			t.Errorf("%s: errors.Is does not find the cause %v", name, c.cause)
		}
		for _, other := range contract.Codes() {
			if other != c.code && !errors.Is(c.cause, other) && errors.Is(got, other) {
				t.Errorf("%s: errors.Is finds the code %s too", name, other)
			}
		}
	}
	if contract.FromError(fmt.Errorf("solve: %w", ours)) != ours {
		t.Error("FromError does not return the error that is already one of ours")
	}
}

// TestCausesStayAtHome checks that a cause is in the text for the log and not on the wire.
func TestCausesStayAtHome(t *testing.T) {
	t.Parallel()
	cause := errors.New("open /srv/secret: permission denied")
	for _, err := range []*contract.Error{
		contract.FromError(cause),
		contract.FromError(fmt.Errorf("work: %w", cause)),
		contract.Invalid("n", "must be above 0").WithCause(cause),
	} {
		if !strings.Contains(err.Error(), "secret") || !errors.Is(err, cause) {
			t.Errorf("%v: the log lacks the cause", err)
		}
		data, marshalErr := json.Marshal(err)
		if marshalErr != nil || strings.Contains(string(data), "secret") {
			t.Errorf("%s, %v: the cause is on the wire", data, marshalErr)
		}
	}
}

func TestErrorsAreCopied(t *testing.T) {
	t.Parallel()
	original := contract.Errorf(contract.CodeInvalidArgument, "must be above %d", 0)
	at, caused := original.At("n"), original.WithCause(io.EOF)
	if original.Field != "" || original.Detail != "must be above 0" || errors.Is(original, io.EOF) {
		t.Errorf("the original has changed: %+v", original)
	}
	if at.Field != "n" || at.Detail != "n must be above 0" || at.Error() != "invalid_argument: n must be above 0" {
		t.Errorf("At: %+v", at)
	}
	if caused.Error() != "invalid_argument: must be above 0: EOF" {
		t.Errorf("WithCause: %v", caused)
	}
	if nested := at.At("3").At("items"); nested.Field != "items/3/n" || nested.Detail != "items/3/n must be above 0" {
		t.Errorf("At within At: %+v", nested)
	}
}

func TestUnknownCode(t *testing.T) {
	t.Parallel()
	later := contract.Code("of_a_later_version")
	if later.Status() != 500 || later.Title() != "Error" {
		t.Errorf("status %d, title %q", later.Status(), later.Title())
	}
	var e contract.Error
	if err := json.Unmarshal([]byte(`{"code":"of_a_later_version","detail":"d","news":[1]}`), &e); err != nil || e.Code != later {
		t.Errorf("%+v, %v; want the code kept", e, err)
	}
}

func TestRetrySeconds(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]int{
		0: 0, 1: 1, time.Millisecond: 1, time.Second: 1, time.Second + 1: 2, 90 * time.Second: 90,
		-1: 0, -time.Hour: 0, 1<<63 - 1: 9223372037, -1 << 63: 0,
	} {
		if got := (&contract.Error{RetryAfter: d}).RetrySeconds(); got != want {
			t.Errorf("RetrySeconds of %v = %d, want %d", d, got, want)
		}
	}
}

func TestProblemRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{}`, `{"code":""}`, `{"detail":"d"}`, `[]`, `"internal"`, `null`, `{"code":5}`, `{"code":"internal","retry_after":"soon"}`} {
		e := contract.Error{Code: "before"}
		if err := json.Unmarshal([]byte(text), &e); err == nil || e.Code != "before" {
			t.Errorf("%s: %+v, %v; want an error", text, e, err)
		}
	}
}

func TestProblemSurvivesJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := &contract.Error{
			Code:       rapid.SampledFrom(contract.Codes()).Draw(t, "code"),
			Detail:     rapid.String().Draw(t, "detail"),
			Field:      rapid.String().Draw(t, "field"),
			RetryAfter: time.Duration(rapid.IntRange(0, 24*60*60).Draw(t, "seconds")) * time.Second,
			Reference:  rapid.String().Draw(t, "reference"),
		}
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got contract.Error
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		if got.Code != want.Code || got.Detail != want.Detail || got.Field != want.Field ||
			got.RetryAfter != want.RetryAfter || got.Reference != want.Reference {
			t.Fatalf("%+v became %+v", want, got)
		}
	})
}

// FuzzProblem reads problem documents of strangers. What is read once must read the same
// again.
func FuzzProblem(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		var first contract.Error
		if json.Unmarshal(data, &first) != nil || first.Code == "" {
			return
		}
		if first.RetryAfter < 0 || first.Code.Status() < 400 || !slices.Contains(contract.Codes(), first.Code) && first.Code.Title() != "Error" {
			t.Fatalf("%q: %+v", data, first)
		}
		again, err := json.Marshal(&first)
		if err != nil {
			t.Fatalf("%q: write %+v: %v", data, first, err)
		}
		var second contract.Error
		if err := json.Unmarshal(again, &second); err != nil {
			t.Fatalf("%q: read %s: %v", data, again, err)
		}
		if first.Error() != second.Error() || first.Field != second.Field || first.RetryAfter != second.RetryAfter || first.Reference != second.Reference {
			t.Errorf("%q: first %+v, then %+v", data, first, second)
		}
	})
}
