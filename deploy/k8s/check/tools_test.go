package check

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The tools, at the releases that these manifests were written with.
const (
	kubeScore       = "github.com/zegl/kube-score/cmd/kube-score@v1.20.0"
	kubectlValidate = "sigs.k8s.io/kubectl-validate@v0.0.4"
)

// tool runs a program of another module, which never becomes a part of this one.
func tool(t *testing.T, stdin []byte, program string, args ...string) (string, error) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "go", append([]string{"run", program}, args...)...)
	c.Stdin = bytes.NewReader(stdin)
	out, err := c.CombinedOutput()
	return string(out), err
}

// TestScore: kube-score finds nothing critical. One of its tests is left out: it wants every
// image pulled again at every start. Our tags are never moved, so that would only make
// every restart depend on the registry, and images that were loaded by hand unusable.
func TestScore(t *testing.T) {
	for _, overlay := range overlays {
		out, err := tool(t, render(t, overlay), kubeScore, "score", "--output-format", "ci", "--ignore-test", "container-image-pull-policy", "-")
		if err != nil || !strings.Contains(out, "[OK]") {
			t.Errorf("%s: %v", overlay, err)
			for line := range strings.Lines(out) {
				if !strings.HasPrefix(line, "[OK]") && !strings.HasPrefix(line, "[SKIPPED]") {
					t.Log(strings.TrimSpace(line))
				}
			}
		}
	}
}

// schemas are the modules that have the schemas of what components bring, and the folder
// in them.
var schemas = map[string]string{
	"github.com/kedacore/keda/v2@v2.21.0":                        "config/crd/bases",
	"github.com/prometheus-operator/prometheus-operator@v0.85.0": "example/prometheus-operator-crd",
}

// TestSchemas: kubectl-validate finds nothing wrong in the overlays, nor in the prod overlay
// with all components.
func TestSchemas(t *testing.T) {
	args := []string{"--version", "1.29"}
	for module, folder := range schemas {
		args = append(args, "--local-crds", filepath.Join(download(t, module), folder))
	}
	dir := t.TempDir()
	for _, overlay := range overlays {
		args = append(args, save(t, filepath.Join(dir, filepath.Base(overlay)+".yaml"), render(t, overlay)))
	}
	args = append(args, save(t, filepath.Join(dir, "components.yaml"), render(t, "check/testdata/components")))
	out, err := tool(t, nil, kubectlValidate, args...)
	if err != nil || strings.Count(out, "OK\x1b") != len(overlays)+1 {
		t.Errorf("%v\n%s", err, out)
	}
}

// download fetches the source of a module and returns where it is.
func download(t *testing.T, module string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", module).Output()
	var got struct{ Dir, Error string }
	if err := json.Unmarshal(out, &got); err != nil || got.Error != "" {
		t.Fatalf("%s: %v %s", module, err, got.Error)
	}
	if err != nil {
		t.Fatal(err)
	}
	return got.Dir
}

func save(t *testing.T, path string, content []byte) string {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
