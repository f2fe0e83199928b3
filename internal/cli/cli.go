// Package cli is what Heddle's programs share towards the command line: parsing into
// a struct of flags, exit codes, and errors as a person reads them. It starts nothing.
//
//	var flags struct{ … }
//	selected, code, ok := cli.Parse(cli.Program{Name: "heddle", Flags: &flags}, args, stdout, stderr)
//	if !ok {
//		return code
//	}
package cli

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/alecthomas/kong"

	"github.com/seed-649d3d38/heddle/contract"
)

// Exit codes of every program, as its help lists them.
const (
	ExitOK      = 0 // done
	ExitFailure = 1 // something failed
	ExitUsage   = 2 // the command line is wrong
	ExitRefused = 3 // the request was refused; change it
	ExitLater   = 4 // no service, no room or no time; try again
)

// Program describes a command line.
type Program struct {
	// Name is the program's name in its help.
	Name string
	// Description is the first paragraph of its help.
	Description string
	// Flags is a pointer to a struct with kong's tags.
	Flags any
}

// Parse fills the flags from the arguments and the environment. When there is nothing
// left to do, because help was printed or the command line is wrong, ok is false and
// code is the exit code.
func Parse(p Program, args []string, stdout, stderr io.Writer) (selected *kong.Context, code int, ok bool) {
	exited := false
	parser, err := kong.New(p.Flags,
		kong.Name(p.Name),
		kong.Description(p.Description),
		kong.Writers(stdout, stderr),
		kong.Exit(func(c int) { exited, code = true, c }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
	)
	if err != nil {
		return nil, Report(stderr, p.Name, fmt.Errorf("declare flags: %w", err)), false
	}
	selected, err = parser.Parse(args)
	if exited { // --help and --version are done before the rest is checked
		return nil, code, false
	}
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\nRun %s --help for help.\n", p.Name, err, p.Name)
		return nil, ExitUsage, false
	}
	return selected, ExitOK, true
}

// Report prints an error for a person and returns the exit code it stands for; nil
// prints nothing and is [ExitOK].
func Report(stderr io.Writer, program string, err error) int {
	if err == nil {
		return ExitOK
	}
	e, ours := errors.AsType[*contract.Error](err)
	if !ours {
		fmt.Fprintf(stderr, "%s: %v\n", program, err)
		return ExitFailure
	}
	fmt.Fprintf(stderr, "%s: %s: %s\n", program, e.Code, e.Detail)
	if e.Reference != "" {
		fmt.Fprintf(stderr, "reference: %s\n", e.Reference)
	}
	return exitCode(e.Code)
}

func exitCode(c contract.Code) int {
	switch c {
	case contract.CodeResourceExhausted, contract.CodeUnavailable, contract.CodeDeadlineExceeded:
		return ExitLater
	case contract.CodeInternal, contract.CodeUpstream, contract.CodeCanceled:
		return ExitFailure
	default:
		return ExitRefused
	}
}

// release is the version of a program that was built for a release, set by the linker.
var release string

// Version returns the version of the program: that of the release it was built for, or of
// its module when it was installed as one, otherwise "devel".
func Version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}
