package main

import (
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/seed-649d3d38/heddle/internal/booktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBook(t *testing.T) {
	t.Parallel()
	booktest.Run(t, "../../docs/book.md", "go run ./examples/statistics", func(args []string, out io.Writer) error {
		return run(t.Context(), args, "", out)
	})
}

// row is a row of the table: service, instance, requests, share.
var row = regexp.MustCompile(`(?m)^crawler  +(\S+) +(\d+) +([\d.]+) % `)

// sum returns the number of rows and the sums of their requests and shares.
func sum(t *testing.T, table string) (rows, requests int, share float64) {
	t.Helper()
	for _, m := range row.FindAllStringSubmatch(table, -1) {
		n, err := strconv.Atoi(m[2])
		if err != nil {
			t.Fatal(err)
		}
		percent, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			t.Fatal(err)
		}
		rows, requests, share = rows+1, requests+n, share+percent
	}
	return rows, requests, share
}

func TestTableAddsUp(t *testing.T) {
	t.Parallel()
	for _, instances := range []int{1, 3} {
		var out strings.Builder
		if err := run(t.Context(), []string{"-instances", strconv.Itoa(instances)}, "", &out); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(out.String(), "120 links of 40 pages\n") {
			t.Errorf("got\n%s", &out)
		}
		// One of three instances is left out with a probability below 3·(2/3)^40 < 10^-6.
		rows, requests, share := sum(t, out.String())
		if rows != instances || requests != 40 || share < 99.8 || share > 100.2 {
			t.Errorf("%d rows, %d requests, %v %%; want %d, 40, 100:\n%s", rows, requests, share, instances, &out)
		}
	}
}

// A page that fails counts, and leaves its line.
func TestFailedPage(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := run(t.Context(), []string{"-links", "1", "ftp://example.com/", "http://127.0.0.1:1/"}, "", &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ftp://example.com/ failed: url ", "http://127.0.0.1:1/ failed: ", "0 links of 2 pages\n", "(failed)"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing from\n%s", want, &out)
		}
	}
	if rows, requests, _ := sum(t, out.String()); rows != 1 || requests != 2 {
		t.Errorf("the table does not add up:\n%s", &out)
	}
}
