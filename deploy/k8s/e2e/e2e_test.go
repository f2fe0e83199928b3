//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

const (
	// firstAnswer is the longest that an installation may take to answer.
	firstAnswer = 60 * time.Second
	// idleMemory is the most that a whole dev installation may use while it has nothing to do.
	idleMemory = 250 << 20
	// term100 is part of the answer to every call of the caller.
	term100 = "354224848179261915075"
)

// answers has the caller call once.
func answers(t *testing.T, via string) bool {
	out, err := ask(t, "/call/"+via)
	return err == nil && strings.Contains(out, term100)
}

// TestKubernetes is one story, since an installation takes a while: each part finds the
// cluster as the one before has left it.
func TestKubernetes(t *testing.T) {
	defer table(t)
	startCaller(t)
	t.Run("dev", func(t *testing.T) {
		started := time.Now()
		kubectl(t, "apply", "-k", "../overlays/dev")
		until(t, firstAnswer, "a call is answered", func() bool { return answers(t, "http") })
		measure("dev: apply to first answer", "%v (must: %v)", time.Since(started).Round(100*time.Millisecond), firstAnswer)
		rollout(t)
		heddle(t, "wait", "--for=condition=Complete", "job/provision", "--timeout=60s")
		if !answers(t, "nats") {
			t.Error("no answer on NATS from another namespace")
		}
		t.Run("port-forward", portForward)
		t.Run("restricted", restricted)
		t.Run("idle memory", idle)
		t.Run("a job survives its pod", jobSurvives)
		t.Run("rolling updates", rollingUpdates)
		t.Run("restart of everything", restartAll)
		t.Run("delete", func(t *testing.T) { remove(t, "../overlays/dev") })
	})
	t.Run("prod", func(t *testing.T) {
		kubectl(t, "apply", "-k", "small")
		rollout(t)
		heddle(t, "wait", "--for=condition=Complete", "job/provision", "--timeout=120s")
		until(t, time.Minute, "a call is answered", func() bool { return answers(t, "http") && answers(t, "nats") })
		t.Run("rolling updates", rollingUpdates)
		t.Run("a broker dies", brokerDies)
		t.Run("a node is emptied", drain)
		t.Run("rolling restart of the brokers", brokersRestart)
		t.Run("autoscaling", autoscaling)
		t.Run("delete", func(t *testing.T) { remove(t, "small") })
	})
}

// portForward is how a person reaches the gateway of a dev installation.
func portForward(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := exec.CommandContext(ctx, "kubectl", "-n", "heddle", "port-forward", "svc/gateway", ":80")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); _ = c.Wait() }()
	line, err := bufio.NewReader(out).ReadString('\n') // Forwarding from 127.0.0.1:41234 -> 8080
	if err != nil {
		t.Fatal(err)
	}
	address, _, _ := strings.Cut(strings.TrimPrefix(line, "Forwarding from "), " ")
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/v1/fibonacci/term?n=100", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(body), term100) {
		t.Errorf("%v %s", err, body)
	}
}

// restricted asks the API server which pods would violate the strictest standard.
func restricted(t *testing.T) {
	out := kubectl(t, "label", "--dry-run=server", "--overwrite", "namespace", "heddle", "pod-security.kubernetes.io/enforce=restricted", "x=y")
	if strings.Contains(out, "violate") {
		t.Error(out)
	}
	measure("violations of the restricted standard", "%d", strings.Count(out, "violate"))
}

// idle reads from the kubelets what the pods use.
func idle(t *testing.T) {
	var sum int64
	for node := range strings.FieldsSeq(kubectl(t, "get", "nodes", "-o", "name")) {
		var summary struct {
			Pods []struct {
				PodRef struct{ Name, Namespace string }
				Memory struct{ WorkingSetBytes int64 }
			}
		}
		raw := kubectl(t, "get", "--raw", "/api/v1/nodes/"+strings.TrimPrefix(node, "node/")+"/proxy/stats/summary")
		if err := json.Unmarshal([]byte(raw), &summary); err != nil {
			t.Fatal(err)
		}
		for _, p := range summary.Pods {
			if p.PodRef.Namespace == "heddle" {
				sum += p.Memory.WorkingSetBytes
				t.Logf("%s: %d MiB", p.PodRef.Name, p.Memory.WorkingSetBytes>>20)
			}
		}
	}
	if sum == 0 || sum > idleMemory {
		t.Errorf("all pods use %d MiB", sum>>20)
	}
	measure("dev: idle memory of all pods", "%d MiB (must: %d MiB)", sum>>20, idleMemory>>20)
}

// jobSurvives kills the pod that works on one of several jobs, while others wait. It is the
// only one of its service, so all that is left is done by the one that comes in its place.
func jobSurvives(t *testing.T) {
	asked[[]string](t, "/jobs/submit?key=survives&count=30&n=100000000") // half a second each, or more
	until(t, time.Minute, "a job runs", func() bool { return asked[count](t, "/jobs/count").States["running"] > 0 })
	heddle(t, "delete", "pod", "-l", "app.kubernetes.io/name=fibonacci", "--grace-period=0", "--force", "--wait=false")
	if left := asked[count](t, "/jobs/count"); left.States["succeeded"] == left.Submitted {
		t.Fatalf("the jobs were done before the pod was gone: %+v", left)
	}
	allDone(t, "the pod of a job is killed")
	if c := asked[count](t, "/jobs/count"); c.Instances < 2 {
		t.Errorf("%d instance did all jobs", c.Instances)
	}
}

// rollingUpdates makes new pods for every Deployment, one Deployment after another.
func rollingUpdates(t *testing.T) {
	rollout(t)
	totals := load(t, func() {
		for name := range strings.FieldsSeq(heddle(t, "get", "deployment", "-o", "name")) {
			heddle(t, "rollout", "restart", name)
			heddle(t, "rollout", "status", name, "--timeout", ready.String())
		}
		gone(t) // what was replaced has drained
	})
	unharmed(t, strings.TrimPrefix(t.Name(), "TestKubernetes/"), totals)
}

// gone waits until no pod is being deleted.
func gone(t *testing.T) {
	t.Helper()
	until(t, ready, "old pods are gone", func() bool {
		return heddle(t, "get", "pods", "-o", "jsonpath={.items[*].metadata.deletionTimestamp}") == ""
	})
}

// restartAll deletes every pod, the broker's too; results are where they were.
func restartAll(t *testing.T) {
	before := asked[count](t, "/jobs/count")
	heddle(t, "delete", "pods", "--all", "--wait=false")
	gone(t)
	rollout(t)
	until(t, time.Minute, "a call is answered", func() bool { return answers(t, "http") })
	allDone(t, "restart of everything")
	if before.Submitted == 0 {
		t.Error("there was no job to find again")
	}
}

// remove takes away what was applied, and looks for what is left.
func remove(t *testing.T, overlay string) {
	kubectl(t, "delete", "-k", overlay, "--timeout=3m")
	if out, err := try(t, "get", "namespace", "heddle"); err == nil {
		t.Errorf("the namespace is still there: %s", out)
	}
	for kind := range strings.FieldsSeq(kubectl(t, "api-resources", "--verbs=list", "-o", "name")) {
		out, err := try(t, "get", kind, "--all-namespaces", "-l", "app.kubernetes.io/part-of=heddle", "-o", "name")
		if err == nil && out != "" && !strings.HasPrefix(out, "No resources") && !strings.HasPrefix(out, "Warning") {
			t.Errorf("left behind: %s", out)
		}
	}
	asked[bool](t, "/jobs/forget") // their streams are gone, too
}

// brokerDies kills one of three brokers while jobs are submitted and run.
func brokerDies(t *testing.T) {
	totals := load(t, func() {
		asked[[]string](t, "/jobs/submit?key=before&count=100&n=300000")
		heddle(t, "delete", "pod", "nats-0", "--grace-period=0", "--force", "--wait=false")
		asked[[]string](t, "/jobs/submit?key=after&count=100&n=300000")
		rollout(t)
	})
	for way, l := range totals {
		measure("a broker is killed, requests over "+way, "%d failed of %d, slowest %v", l.Failed, l.Sent, l.Slowest.Round(time.Millisecond))
	}
	allDone(t, "a broker is killed")
}

// brokersRestart makes new pods for all brokers, one after another.
func brokersRestart(t *testing.T) {
	totals := load(t, func() {
		asked[[]string](t, "/jobs/submit?key=restart&count=100&n=300000")
		heddle(t, "rollout", "restart", "statefulset/nats")
		heddle(t, "rollout", "status", "statefulset/nats", "--timeout", (2 * ready).String())
	})
	for way, l := range totals {
		measure("rolling restart of the brokers, requests over "+way, "%d failed of %d, slowest %v", l.Failed, l.Sent, l.Slowest.Round(time.Millisecond))
	}
	allDone(t, "rolling restart of the brokers")
}

// drain empties a node that has all pods. Of each kind one may go, and since there is no
// other node, nobody comes for it, and the rest has to stay.
func drain(t *testing.T) {
	node := heddle(t, "get", "pods", "-l", "app.kubernetes.io/name=gateway", "-o", "jsonpath={.items[0].spec.nodeName}")
	defer kubectl(t, "uncordon", node)
	totals := load(t, func() {
		out, err := try(t, "drain", node, "--pod-selector=app.kubernetes.io/name in (gateway, fibonacci, sqrt)", "--timeout=20s", "--disable-eviction=false")
		if err == nil || !strings.Contains(out, "disruption budget") {
			t.Errorf("the budgets did not hold: %v\n%s", err, out)
		}
	})
	unharmed(t, "a node is emptied", totals)
	kubectl(t, "uncordon", node)
	rollout(t)
}

// autoscaling waits for a third gateway under load, which keeps gateways the busiest. A cluster that measures nothing cannot
// scale, which the table then says.
func autoscaling(t *testing.T) {
	if out, err := try(t, "get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes"); err != nil {
		measure("scaling out", "not measured: the cluster has no metrics-server (%s)", out)
		return
	}
	var took time.Duration
	totals := load(t, func() {
		took = until(t, ready, "a third gateway", func() bool {
			return heddle(t, "get", "deployment", "gateway", "-o", "jsonpath={.status.readyReplicas}") == "3"
		})
	})
	unharmed(t, "scaling out", totals)
	measure("scaling out: load to third gateway", "%v", took.Round(time.Second))
}
