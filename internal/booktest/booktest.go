// Package booktest holds docs/book.md to what it says: it finds the commands that a block
// of the page shows, and compares what they print. It runs nothing itself, and it is for
// tests only.
//
//	booktest.Run(t, "../../docs/book.md", "go run ./examples/links", func(args []string, out io.Writer) error {
//		return run(t.Context(), args, "", out)
//	})
package booktest

import (
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// console is a block of commands and what they print, in a Markdown page.
var console = regexp.MustCompile("(?ms)^```console\n(.*?)^```$")

// anyLines is a line that stands for any number of lines.
var anyLines = regexp.MustCompile(`(?m)^…\n`)

// Command is a command of the page.
type Command struct {
	// Words are the command's words; single quotes keep what is between them together.
	Words []string
	// Output is what the page says that it prints: "…" stands for anything within a
	// line, and alone in a line for any number of lines.
	Output string
}

// Read returns the commands of a page, in its order.
func Read(t testing.TB, path string) []Command {
	t.Helper()
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []Command
	for _, block := range console.FindAllStringSubmatch(string(page), -1) {
		if !strings.HasPrefix(block[1], "$ ") {
			t.Fatalf("%s: a block does not begin with a command:\n%s", path, block[1])
		}
		for line := range strings.Lines(block[1]) {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				all = append(all, Command{Words: words(strings.TrimSpace(command))})
			} else {
				all[len(all)-1].Output += line
			}
		}
	}
	return all
}

// words splits a command.
func words(command string) []string {
	var words []string
	for i, part := range strings.Split(command, "'") {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	return words
}

// Matches reports whether the command may print what it has printed.
func (c Command) Matches(printed string) bool {
	pattern := anyLines.ReplaceAllString(regexp.QuoteMeta(c.Output), `(?s:.*)`)
	return regexp.MustCompile(`\A` + strings.ReplaceAll(pattern, "…", `.*`) + `\z`).MatchString(printed)
}

// Run runs the page's commands that begin with the given one, with the words that follow
// as arguments, and compares what they print. A page without any is an error.
func Run(t *testing.T, path, program string, run func(args []string, out io.Writer) error) {
	t.Helper()
	begin := words(program)
	found := false
	for _, c := range Read(t, path) {
		if len(c.Words) < len(begin) || !slices.Equal(c.Words[:len(begin)], begin) {
			continue
		}
		found = true
		var out strings.Builder
		if err := run(c.Words[len(begin):], &out); err != nil || !c.Matches(out.String()) {
			t.Errorf("%q prints, with the error %v,\n%s\nand %s says\n%s", c.Words, err, &out, path, c.Output)
		}
	}
	if !found {
		t.Errorf("%s does not show %s", path, program)
	}
}
