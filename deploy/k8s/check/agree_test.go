package check

import (
	"maps"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
)

// selected returns the workloads whose pods a selector matches.
func selected(t *testing.T, all []runtime.Object, selector *metav1.LabelSelector) []workload {
	t.Helper()
	s, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(workloads(all), func(w workload) bool { return !s.Matches(labels.Set(w.pod.Labels)) })
}

// names returns the names of workloads.
func names(some []workload) []string {
	var names []string
	for _, w := range some {
		names = append(names, w.Name)
	}
	return names
}

// TestSelectors: whatever selects pods selects those of the workload of its own name, and
// no others.
func TestSelectors(t *testing.T) {
	inOverlays(t, func(t *testing.T, all []runtime.Object) {
		only := func(what, workload string, selector *metav1.LabelSelector) {
			t.Helper()
			if got := names(selected(t, all, selector)); !slices.Equal(got, []string{workload}) {
				t.Errorf("%s selects %q, want only %q", what, got, workload)
			}
		}
		for _, w := range workloads(all) {
			if w.selector != nil {
				only(w.kind+" "+w.Name, w.Name, w.selector)
			}
			for _, c := range w.pod.Spec.TopologySpreadConstraints {
				only("spread of "+w.Name, w.Name, c.LabelSelector)
			}
		}
		for _, s := range objects[*corev1.Service](all) {
			only("Service "+s.Name, strings.TrimSuffix(s.Name, "-headless"), &metav1.LabelSelector{MatchLabels: s.Spec.Selector})
		}
		for _, p := range objects[*policyv1.PodDisruptionBudget](all) {
			only("PodDisruptionBudget "+p.Name, p.Name, p.Spec.Selector)
		}
		for _, p := range objects[*networkingv1.NetworkPolicy](all) {
			if len(selected(t, all, &p.Spec.PodSelector)) == 0 {
				t.Errorf("NetworkPolicy %s selects nothing", p.Name)
			}
		}
	})
}

// TestPorts: ports that are named exist, and network policies open those that somebody
// listens on.
func TestPorts(t *testing.T) {
	inOverlays(t, func(t *testing.T, all []runtime.Object) {
		for _, s := range objects[*corev1.Service](all) {
			for _, w := range selected(t, all, &metav1.LabelSelector{MatchLabels: s.Spec.Selector}) {
				for _, p := range s.Spec.Ports {
					if _, ok := w.port(t, p.TargetPort.StrVal); !ok {
						t.Errorf("Service %s: %s has no port %q", s.Name, w.Name, p.TargetPort.StrVal)
					}
				}
			}
		}
		for _, policy := range objects[*networkingv1.NetworkPolicy](all) {
			for _, rule := range policy.Spec.Ingress {
				for _, w := range selected(t, all, &policy.Spec.PodSelector) {
					checkOpen(t, policy.Name, w, rule.Ports)
				}
			}
			for _, rule := range policy.Spec.Egress {
				for _, to := range rule.To {
					if to.PodSelector == nil || to.NamespaceSelector != nil {
						continue // not ours
					}
					for _, w := range selected(t, all, to.PodSelector) {
						checkOpen(t, policy.Name, w, rule.Ports)
					}
				}
			}
		}
	})
}

func checkOpen(t *testing.T, policy string, w workload, ports []networkingv1.NetworkPolicyPort) {
	t.Helper()
	for _, p := range ports {
		if !slices.ContainsFunc(w.container(t).Ports, func(c corev1.ContainerPort) bool { return c.ContainerPort == p.Port.IntVal }) {
			t.Errorf("NetworkPolicy %s opens port %s of %s, which does not listen there", policy, p.Port, w.Name)
		}
	}
}

// TestBrokerIsReachable: whoever is told where the broker is may go there by the policies.
func TestBrokerIsReachable(t *testing.T) {
	inOverlays(t, func(t *testing.T, all []runtime.Object) {
		for _, w := range workloads(all) {
			if w.Name != "nats" && w.pod.Labels["heddle/nats-client"] != "true" {
				t.Errorf("%s has no label heddle/nats-client", w.Name)
			}
		}
		for _, p := range objects[*networkingv1.NetworkPolicy](all) {
			if p.Name != "nats" {
				continue
			}
			for _, from := range p.Spec.Ingress[0].From {
				label := from.NamespaceSelector
				if label == nil {
					label = from.PodSelector
				}
				if !maps.Equal(label.MatchLabels, map[string]string{"heddle/nats-client": "true"}) {
					t.Errorf("the broker lets in %v", label)
				}
			}
		}
	})
}

// TestAutoscalers: each scales a workload that is there, that has requests to measure by and
// that says no number itself, which would undo the autoscaler's at the next apply.
func TestAutoscalers(t *testing.T) {
	inOverlays(t, func(t *testing.T, all []runtime.Object) {
		deployments := map[string]*appsv1.Deployment{}
		for _, d := range objects[*appsv1.Deployment](all) {
			deployments[d.Name] = d
			if d.Spec.Replicas != nil {
				t.Errorf("%s says a number of replicas", d.Name)
			}
		}
		for _, h := range objects[*autoscalingv2.HorizontalPodAutoscaler](all) {
			d := deployments[h.Spec.ScaleTargetRef.Name]
			if d == nil {
				t.Errorf("%s scales %s, which is not there", h.Name, h.Spec.ScaleTargetRef.Name)
				continue
			}
			if d.Spec.Template.Spec.Containers[0].Resources.Requests.Cpu().IsZero() {
				t.Errorf("%s scales %s, which requests no CPU", h.Name, d.Name)
			}
		}
	})
}

// TestConfigMaps: what is mounted or made environment exists, under the name with the hash.
func TestConfigMaps(t *testing.T) {
	inOverlays(t, func(t *testing.T, all []runtime.Object) {
		there := map[string]bool{}
		for _, c := range objects[*corev1.ConfigMap](all) {
			there[c.Name] = true
		}
		for _, w := range workloads(all) {
			for _, from := range w.container(t).EnvFrom {
				if !there[from.ConfigMapRef.Name] {
					t.Errorf("%s takes its environment from %s, which is not there", w.Name, from.ConfigMapRef.Name)
				}
			}
			for _, v := range w.pod.Spec.Volumes {
				if v.ConfigMap != nil && !there[v.ConfigMap.Name] {
					t.Errorf("%s mounts %s, which is not there", w.Name, v.ConfigMap.Name)
				}
			}
		}
	})
}

// TestLabels: everything can be found by the recommended labels.
func TestLabels(t *testing.T) {
	inOverlays(t, func(t *testing.T, all []runtime.Object) {
		for _, o := range all {
			m := o.(metav1.Object)
			if m.GetLabels()["app.kubernetes.io/part-of"] != "heddle" {
				t.Errorf("%T %s is not labelled as a part of heddle", o, m.GetName())
			}
		}
		for _, w := range workloads(all) {
			for _, l := range []string{"name", "component", "part-of"} {
				if w.pod.Labels["app.kubernetes.io/"+l] == "" || w.Labels["app.kubernetes.io/"+l] == "" {
					t.Errorf("%s has no label app.kubernetes.io/%s", w.Name, l)
				}
			}
		}
	})
}
