package main_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// fence is a file in a Markdown page: a code block whose info string is "go" and a path.
var fence = regexp.MustCompile("(?ms)^```go (\\S+)\n(.*?)^```$")

// TestAddProblem follows CONTRIBUTING.md: it adds the problem of the page to a copy of
// the module, runs the problem's own tests, and calls it over REST and NATS.
func TestAddProblem(t *testing.T) {
	t.Parallel()
	module := t.TempDir()
	copyModule(t, module)
	page, err := os.ReadFile("CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	files := fence.FindAllStringSubmatch(string(page), -1)
	if len(files) != 4 {
		t.Fatalf("CONTRIBUTING.md has %d files, want three and a test", len(files))
	}
	for _, f := range files {
		write(t, filepath.Join(module, f[1]), f[2])
	}
	insert(t, filepath.Join(module, "contract", "endpoint.go"), "CrawlerLinks.Descriptor(),\n", "PrimeTest.Descriptor(),\n")
	insert(t, filepath.Join(module, "catalogue.go"), "crawler.Service(),\n", "prime.Service(),\n")
	insert(t, filepath.Join(module, "catalogue.go"), "import (\n", "\"github.com/seed-649d3d38/heddle/services/prime/prime\"\n")

	bin := t.TempDir()
	run(t, module, "go", "build", "-o", bin, ".", "./services/prime")
	run(t, module, "go", "test", "./services/prime/...")
	testscript.Run(t, testscript.Params{
		Files:               []string{filepath.Join("testdata", "prime.txtar")},
		RequireExplicitExec: true,
		Setup:               func(env *testscript.Env) error { return setup(env, bin) },
		Cmds:                commands,
	})
}

// copyModule copies what the programs are built from.
func copyModule(t *testing.T, to string) {
	t.Helper()
	skip := []string{".git", "bench", "deploy", "docs", "examples"}
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains(skip, path):
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		content, err := os.ReadFile(path)
		if err == nil {
			write(t, filepath.Join(to, path), string(content))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// insert adds a line after the first place where another stands in a file.
func insert(t *testing.T, path, after, line string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(content), after)
	if !found {
		t.Fatalf("%s has no line %q", path, after)
	}
	write(t, path, before+after+line+rest)
}

func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}
