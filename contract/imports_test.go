package contract_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/seed-649d3d38/heddle"

// TestContractImportsTheStandardLibraryOnly keeps the contract usable in other modules
// without pulling anything in, and the solver's side with nothing but the contract.
func TestContractImportsTheStandardLibraryOnly(t *testing.T) {
	t.Parallel()
	for folder, allowed := range map[string][]string{
		"contract": nil,
		"solver":   {module + "/contract"},
	} {
		for _, path := range imports(t, folder) {
			if !standard(path) && !slices.Contains(allowed, path) {
				t.Errorf("%s imports %s", folder, path)
			}
		}
	}
}

// TestSolversKnowNoTransport follows the imports of the packages below services, apart
// from the main packages, through this module.
func TestSolversKnowNoTransport(t *testing.T) {
	t.Parallel()
	solvers := solverFolders(t)
	for _, known := range []string{"services/fibonacci/fib", "services/sqrt/root"} {
		if !slices.Contains(solvers, known) {
			t.Errorf("%s is not among the solvers %v", known, solvers)
		}
	}
	for _, folder := range solvers {
		for _, path := range reachable(t, folder) {
			if strings.HasPrefix(path, "github.com/nats-io/") || strings.HasPrefix(path, "go.opentelemetry.io/") {
				t.Errorf("%s reaches %s", folder, path)
			}
		}
	}
}

// solverFolders returns the folders with packages below services/<service>/.
func solverFolders(t *testing.T) []string {
	t.Helper()
	found := make(map[string]bool)
	root := filepath.Join("..", "services")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && entry.Name() == "testdata" {
			return fs.SkipDir
		}
		folder, err := filepath.Rel("..", filepath.Dir(path))
		if err != nil {
			return err
		}
		folder = filepath.ToSlash(folder)
		if strings.HasSuffix(path, ".go") && strings.Count(folder, "/") >= 2 {
			found[folder] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(found))
}

// reachable returns what the package in the folder imports, directly or through other
// packages of this module.
func reachable(t *testing.T, folder string) []string {
	t.Helper()
	seen := make(map[string]bool)
	var visit func(folder string)
	visit = func(folder string) {
		for _, path := range imports(t, folder) {
			if seen[path] {
				continue
			}
			seen[path] = true
			if inside, ok := strings.CutPrefix(path, module+"/"); ok {
				visit(inside)
			}
		}
	}
	visit(folder)
	return slices.Sorted(maps.Keys(seen))
}

// imports returns what the files in a folder of the module import, tests aside and
// whatever system they are for.
func imports(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(folder), "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("there are no Go files in %s", folder)
	}
	var paths []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			paths = append(paths, path)
		}
	}
	return paths
}

// standard reports whether the import path is one of the standard library, whose first
// element has no dot.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}
