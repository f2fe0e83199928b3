package main

import (
	"errors"
	"io"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/booktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBook(t *testing.T) {
	t.Parallel()
	booktest.Run(t, "../../docs/book.md", "go run ./examples/jobs", func(args []string, out io.Writer) error {
		return run(t.Context(), args, "", out)
	})
}

// TestFailures shows that a refused input is known at once, and a job that fails later does
// not keep the others from being collected.
func TestFailures(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := run(t.Context(), []string{"ten"}, "", &out); !errors.Is(err, contract.CodeInvalidArgument) || out.Len() > 0 {
		t.Errorf("got %v and %q", err, out.String())
	}
	err := run(t.Context(), []string{"1000000000000", "10"}, "", &out)
	if err == nil || err.Error() != "1 of 2 jobs failed" {
		t.Errorf("got %v", err)
	}
	for _, want := range []string{"failed: invalid_argument: n must lie between", "succeeded in attempt 1: F(10) has 2 digits"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing from\n%s", want, &out)
		}
	}
}
