package main_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	programs "github.com/seed-649d3d38/heddle/internal/program"
)

// variable is how help names the environment variable of a flag.
var variable = regexp.MustCompile(`\(\$([A-Z_]+)\)`)

// TestVariables compares the list of variables with the help of the programs.
func TestVariables(t *testing.T) {
	t.Parallel()
	for _, p := range programs.All() {
		file := filepath.Base(p.Folder)
		if p.Folder == "." {
			file = p.Name
		}
		compare := func(want []string, args ...string) {
			help, err := exec.Command(filepath.Join(bin, file), append(args, "--help")...).Output()
			if err != nil {
				t.Fatalf("%s %v --help: %v", file, args, err)
			}
			var got []string
			for _, m := range variable.FindAllStringSubmatch(string(help), -1) {
				got = append(got, m[1])
			}
			want = slices.Sorted(slices.Values(want))
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s %v reads\n%v, listed are\n%v", p.Name, args, got, want)
			}
		}
		if p.Commands == nil {
			compare(p.Variables())
		}
		for _, c := range p.Commands {
			compare(p.Variables(c.Name), c.Name)
		}
	}
}
