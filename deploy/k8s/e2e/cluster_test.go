//go:build e2e

// Package e2e proves the manifests on a real cluster: the one of KUBECONFIG, which has the
// images, room for three volumes, and nothing of Heddle yet. See docs/kubernetes.md.
package e2e

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// ready is the longest that pods may take to be there.
const ready = 3 * time.Minute

// kubectl runs the command of that name, as a person would, and returns what it prints.
func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := try(t, args...)
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// try is kubectl that may fail.
func try(t *testing.T, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*ready)
	defer cancel()
	out, err := exec.CommandContext(ctx, "kubectl", args...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// heddle is kubectl in the namespace of the suite.
func heddle(t *testing.T, args ...string) string {
	t.Helper()
	return kubectl(t, append([]string{"-n", "heddle"}, args...)...)
}

// until asks again and again until the answer is yes.
func until(t *testing.T, limit time.Duration, what string, yes func() bool) time.Duration {
	t.Helper()
	started := time.Now()
	for !yes() {
		if time.Since(started) > limit {
			t.Fatalf("not after %v: %s\n%s", limit, what, heddle(t, "get", "pods,jobs"))
		}
		pause(t, 100*time.Millisecond) // there is no one event for all of this
	}
	return time.Since(started)
}

// pause lets a cluster go on for a while.
func pause(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	case <-time.After(d):
	}
}

// rollout waits until all pods of everything in the namespace are ready.
func rollout(t *testing.T) {
	t.Helper()
	for name := range strings.FieldsSeq(heddle(t, "get", "statefulset,deployment", "-o", "name")) {
		heddle(t, "rollout", "status", name, "--timeout", ready.String())
	}
}

// ask sends a request to the caller in the cluster, through the API server.
func ask(t *testing.T, path string) (string, error) {
	t.Helper()
	return try(t, "get", "--raw", "/api/v1/namespaces/heddle-caller/pods/caller:8080/proxy"+path)
}

// asked is ask for an answer in JSON.
func asked[T any](t *testing.T, path string) T {
	t.Helper()
	out, err := ask(t, path)
	if err != nil {
		t.Fatalf("%s: %v: %s", path, err, out)
	}
	var v T
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("%s: %v: %s", path, err, out)
	}
	return v
}

// total is what the caller says of a load.
type total struct {
	Sent, Failed int
	Slowest      time.Duration
	Errors       []string
}

// load has the caller send requests while f does something, and for a moment before and
// after.
func load(t *testing.T, f func()) map[string]total {
	t.Helper()
	if out, err := ask(t, "/load/start"); err != nil {
		t.Fatalf("start the load: %v: %s", err, out)
	}
	pause(t, 2*time.Second)
	f()
	pause(t, 2*time.Second)
	return asked[map[string]total](t, "/load/stop")
}

// unharmed says that no request of a load failed.
func unharmed(t *testing.T, what string, totals map[string]total) {
	t.Helper()
	for _, way := range []string{"http", "nats"} {
		l := totals[way]
		if l.Failed > 0 || l.Sent == 0 {
			t.Errorf("%s: %d of %d requests over %s failed: %q", what, l.Failed, l.Sent, way, l.Errors)
		}
		measure(what+", requests over "+way, "%d failed of %d, slowest %v", l.Failed, l.Sent, l.Slowest.Round(time.Millisecond))
	}
}

// count is what the caller says of its jobs.
type count struct {
	Submitted    int
	States       map[string]int
	Again, Twice int
	Instances    int
}

// allDone waits until every job that was ever submitted has succeeded, and says that none
// was lost and none ended twice.
func allDone(t *testing.T, what string) {
	t.Helper()
	var c count
	until(t, ready, what+": all jobs succeeded", func() bool {
		c = asked[count](t, "/jobs/count")
		return c.States["succeeded"] == c.Submitted || c.States["failed"] > 0
	})
	if c.States["succeeded"] != c.Submitted || c.Twice > 0 {
		t.Errorf("%s: %+v", what, c)
	}
	measure(what+", jobs", "%d of %d succeeded, %d more than once; %d attempts again", c.States["succeeded"], c.Submitted, c.Twice, c.Again)
}

// measures are the lines of the table at the end.
var measures []string

func measure(what, format string, args ...any) {
	measures = append(measures, fmt.Sprintf("| %s | %s |", what, fmt.Sprintf(format, args...)))
}

// table prints what was measured.
func table(t *testing.T) {
	t.Logf("\n| measured | |\n|---|---|\n%s\n", strings.Join(measures, "\n"))
}

// startCaller builds the caller, puts its image into the cluster with the command in
// IMAGE_LOAD, and waits for its pod.
func startCaller(t *testing.T) {
	t.Helper()
	command := os.Getenv("IMAGE_LOAD") //nolint:forbidigo // a test has no main that could read it
	if command == "" {
		t.Fatal(`IMAGE_LOAD is not set: the command that puts an image archive into the cluster, such as "kind load image-archive"`)
	}
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, "caller"), "./caller")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	archive := filepath.Join(dir, "caller.tar")
	if err := os.WriteFile(archive, image(t, filepath.Join(dir, "caller"), "localhost/heddle-caller:e2e"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "sh", "-c", command+` "$0"`, archive).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	kubectl(t, "apply", "-f", "caller.yaml")
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		if out, err := exec.CommandContext(ctx, "kubectl", "delete", "namespace", "heddle-caller", "--wait=false").CombinedOutput(); err != nil {
			t.Errorf("remove the caller: %v\n%s", err, out)
		}
	})
	until(t, time.Minute, "the caller is there", func() bool {
		out, _ := try(t, "-n", "heddle-caller", "get", "pod", "caller", "-o", "jsonpath={.status.conditions[?(@.type=='Ready')].status}")
		return out == "True"
	})
}

// image makes an image archive, as "docker load" takes it, of a single static program.
func image(t *testing.T, program, name string) []byte {
	t.Helper()
	binary, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	layer := archive(t, map[string][]byte{"caller": binary})
	digest := fmt.Sprintf("%x", sha256.Sum256(layer))
	config := encode(t, map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Entrypoint": []string{"/caller"}, "User": "65532:65532"},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + digest}},
	})
	return archive(t, map[string][]byte{
		"manifest.json": encode(t, []any{map[string]any{"Config": "config.json", "RepoTags": []string{name}, "Layers": []string{"layer.tar"}}}),
		"config.json":   config,
		"layer.tar":     layer,
	})
}

func archive(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for name, content := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(w, bytes.NewReader(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
