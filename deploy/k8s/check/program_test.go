package check

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/seed-649d3d38/heddle/internal/admin"
)

// programs are the folders of the programs in the images.
var programs = map[string]string{
	"heddle":           ".",
	"heddle-gateway":   "gateway",
	"heddle-fibonacci": "services/fibonacci",
	"heddle-sqrt":      "services/sqrt",
	"heddle-crawler":   "services/crawler",
}

// image returns the last part of an image's name, and its tag.
func image(c corev1.Container) (name, tag string) {
	name, tag, _ = strings.Cut(path.Base(c.Image), ":")
	return name, tag
}

// build compiles the programs and returns where they are.
func build(t *testing.T) map[string]string {
	t.Helper()
	repository, err := filepath.Abs(filepath.Join(root, "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	built := map[string]string{}
	for name, folder := range programs {
		built[name] = filepath.Join(bin, name)
		c := exec.CommandContext(t.Context(), "go", "build", "-o", built[name], "./"+folder)
		c.Dir = repository
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", name, err, out)
		}
	}
	return built
}

// help returns what a program says of itself with the arguments. It ends with an error
// unless it takes them.
func help(t *testing.T, program string, args []string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), program, append(slices.Clone(args), "--help")...)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", c, err, out)
	}
	return string(out)
}

// variable finds the variables in a program's help.
var variable = regexp.MustCompile(`\$([A-Z][A-Z0-9_]+)`)

// environment returns all that is set for the container but what comes from fields of the
// pod, which has no value here.
func environment(all []runtime.Object, c corev1.Container) map[string]string {
	env := map[string]string{}
	for _, from := range c.EnvFrom {
		for _, m := range objects[*corev1.ConfigMap](all) {
			if m.Name == from.ConfigMapRef.Name {
				maps.Copy(env, m.Data)
			}
		}
	}
	for _, e := range c.Env {
		env[e.Name] = e.Value
	}
	return env
}

// TestPrograms: every container runs a program of ours that takes its arguments and knows
// every variable that is set for it.
func TestPrograms(t *testing.T) {
	built := build(t)
	ofRuntime := []string{"GOMEMLIMIT"} // read by Go itself
	inOverlays(t, func(t *testing.T, all []runtime.Object) {
		for _, w := range workloads(all) {
			c := w.container(t)
			name, _ := image(c)
			if name == "nats" {
				continue
			}
			if built[name] == "" {
				t.Errorf("%s has the image %s, which is none of ours", w.Name, name)
				continue
			}
			text := help(t, built[name], c.Args)
			known := slices.Clone(ofRuntime)
			for _, m := range variable.FindAllStringSubmatch(text, -1) {
				known = append(known, m[1])
			}
			for set := range environment(all, c) {
				if !slices.Contains(known, set) && !commonOnly(set, w) {
					t.Errorf("%s sets %s, which %s %v does not know", w.Name, set, name, c.Args)
				}
			}
		}
	})
}

// commonOnly reports whether a variable is one of those that all share, and that is of no use
// to this workload: the log and the stop of what runs once, the replicas of what provisions
// nothing.
func commonOnly(name string, w workload) bool {
	if name == "HEDDLE_REPLICAS" {
		return w.Name != "provision"
	}
	return w.kind == "Job" && slices.Contains([]string{"HEDDLE_ADMIN", "HEDDLE_LOG_FORMAT", "HEDDLE_DRAIN_TIMEOUT"}, name)
}

// TestImages: fixed tags, one for all programs, and the broker that the tests ran against.
func TestImages(t *testing.T) {
	inOverlays(t, func(t *testing.T, all []runtime.Object) {
		release := ""
		for _, w := range workloads(all) {
			name, tag := image(w.container(t))
			switch {
			case name == "nats":
				if tag != server.VERSION {
					t.Errorf("the broker is %s, tests run against %s", tag, server.VERSION)
				}
			case release == "":
				release = tag
			case tag != release:
				t.Errorf("%s is %s, others are %s", name, tag, release)
			}
			if tag == "" || tag == "latest" {
				t.Errorf("%s has no fixed tag", w.container(t).Image)
			}
		}
	})
}

// TestProbes: probes ask the admin port for what it has, and liveness does not depend on
// the broker.
func TestProbes(t *testing.T) {
	handler := admin.Handler(http.NotFoundHandler(), func() error { return context.Canceled })
	status := func(p *corev1.Probe) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, p.HTTPGet.Path, nil)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code
	}
	inOverlays(t, func(t *testing.T, all []runtime.Object) {
		for _, w := range workloads(all) {
			c := w.container(t)
			if w.kind == "Job" || w.Name == "nats" {
				continue
			}
			port, ok := w.port(t, "admin")
			if address := environment(all, c)["HEDDLE_ADMIN"]; !ok || address != fmt.Sprintf(":%d", port) {
				t.Errorf("%s listens on %q, its port admin is %d", w.Name, address, port)
			}
			for what, p := range map[string]*corev1.Probe{"startup": c.StartupProbe, "readiness": c.ReadinessProbe, "liveness": c.LivenessProbe} {
				if p.HTTPGet.Port.StrVal != "admin" {
					t.Errorf("%s: the %s probe asks port %s", w.Name, what, p.HTTPGet.Port.String())
				}
				want := http.StatusOK // of a program that is not ready
				if what == "readiness" {
					want = http.StatusServiceUnavailable
				}
				if got := status(p); got != want {
					t.Errorf("%s: the %s probe gives %d while the program is not ready, want %d", w.Name, what, got, want)
				}
			}
		}
	})
}

// margin is for what a program does after its drain: the last answers, the flush, the end
// of the admin port.
const margin = 10 * time.Second

// TestTermination: nobody is killed who is within the time for stopping.
func TestTermination(t *testing.T) {
	inOverlays(t, func(t *testing.T, all []runtime.Object) {
		for _, w := range workloads(all) {
			if w.kind == "Job" || w.Name == "nats" {
				continue
			}
			env := environment(all, w.container(t))
			drain, err := time.ParseDuration(env["HEDDLE_DRAIN_TIMEOUT"]) // HEDDLE_DRAIN_DELAY is a part of it
			if err != nil {
				t.Errorf("%s: HEDDLE_DRAIN_TIMEOUT: %v", w.Name, err)
			}
			need := margin + drain
			if grace := time.Duration(*w.pod.Spec.TerminationGracePeriodSeconds) * time.Second; grace < need {
				t.Errorf("%s is killed after %v and may need %v", w.Name, grace, need)
			}
		}
	})
}

// broker reads the configuration of the broker as the broker does.
func broker(t *testing.T, overlay string) *server.Options {
	t.Helper()
	t.Setenv("POD_NAME", "nats-0")
	o, err := server.ProcessConfigFile(filepath.Join(root, overlay, "nats.conf"))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestBroker: the broker takes its configuration, and it agrees with the pod around it.
func TestBroker(t *testing.T) {
	for _, overlay := range overlays[:2] {
		all := decode(t, render(t, overlay))
		o := broker(t, overlay)
		for _, w := range workloads(all) {
			if w.Name != "nats" {
				continue
			}
			for name, port := range map[string]int{"nats": o.Port, "monitor": o.HTTPPort, "cluster": o.Cluster.Port} {
				if have, _ := w.port(t, name); int(have) != port {
					t.Errorf("%s: port %s is %d, the broker listens on %d", overlay, name, have, port)
				}
			}
			grace := time.Duration(*w.pod.Spec.TerminationGracePeriodSeconds) * time.Second
			if hook := w.container(t).Lifecycle; hook != nil {
				if need := o.LameDuckGracePeriod + o.LameDuckDuration + 2*margin; grace < need {
					t.Errorf("%s: killed after %v, the lame duck needs %v", overlay, grace, need)
				}
				if !slices.Contains(hook.PreStop.Exec.Command, "ldm="+o.PidFile) {
					t.Errorf("%s: %v signals another process than that of %s", overlay, hook.PreStop.Exec.Command, o.PidFile)
				}
			}
			var mounted []string
			for _, m := range w.container(t).VolumeMounts {
				mounted = append(mounted, m.MountPath)
			}
			if !slices.Contains(mounted, o.StoreDir) {
				t.Errorf("%s: no volume at %s", overlay, o.StoreDir)
			}
		}
	}
	if o := broker(t, "overlays/prod"); !o.SyncAlways || len(o.Routes) != 3 {
		t.Errorf("prod syncs always: %v, routes: %d", o.SyncAlways, len(o.Routes))
	}
}
