package cli_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/seed-649d3d38/heddle/contract"
	"github.com/seed-649d3d38/heddle/internal/cli"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		ok   bool
		code int
		out  string
		err  string
	}{
		"good":     {[]string{"--count", "3"}, true, cli.ExitOK, "", ""},
		"help":     {[]string{"--help"}, false, cli.ExitOK, "How many.", ""},
		"bad":      {[]string{"--count", "three"}, false, cli.ExitUsage, "", "--count"},
		"unknown":  {[]string{"--size"}, false, cli.ExitUsage, "", "Run loom --help for help."},
		"argument": {[]string{"extra"}, false, cli.ExitUsage, "", "extra"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var flags struct {
				Count int `help:"How many."`
			}
			var out, errs bytes.Buffer
			_, code, ok := cli.Parse(cli.Program{Name: "loom", Description: "A loom.", Flags: &flags}, c.args, &out, &errs)
			if ok != c.ok || code != c.code || !strings.Contains(out.String(), c.out) || !strings.Contains(errs.String(), c.err) {
				t.Errorf("got ok %v, code %d\nout: %s\nerr: %s", ok, code, out.String(), errs.String())
			}
		})
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	internal := contract.Errorf(contract.CodeInternal, "internal error")
	internal.Reference = "abc123"
	for _, c := range []struct {
		err  error
		code int
		says string
	}{
		{nil, cli.ExitOK, ""},
		{errors.New("disk full"), cli.ExitFailure, "loom: disk full\n"},
		{contract.Invalid("n", "must be above 0"), cli.ExitRefused, "loom: invalid_argument: n must be above 0\n"},
		{contract.Errorf(contract.CodeUnavailable, "nobody is there"), cli.ExitLater, "nobody is there"},
		{contract.Errorf(contract.CodeDeadlineExceeded, "too slow"), cli.ExitLater, "too slow"},
		{contract.Errorf(contract.CodeResourceExhausted, "full"), cli.ExitLater, "full"},
		{internal, cli.ExitFailure, "reference: abc123"},
	} {
		var out bytes.Buffer
		if code := cli.Report(&out, "loom", c.err); code != c.code || !strings.Contains(out.String(), c.says) {
			t.Errorf("%v: code %d, printed %q; want %d, %q", c.err, code, out.String(), c.code, c.says)
		}
	}
}
