// Package check holds the manifests against the schemas of Kubernetes, against each other
// and against the programs that they run, without a cluster. It has tests only.
package check

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

var update = flag.Bool("update", false, "write install.yaml")

// root is the folder of the manifests.
const root = ".."

// overlays are the folders that somebody applies.
var overlays = []string{"overlays/dev", "overlays/prod", "e2e/small"}

// render does what "kubectl kustomize" does.
func render(t *testing.T, dir string) []byte {
	t.Helper()
	m, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(root, dir))
	if err != nil {
		t.Fatalf("kustomize build %s: %v", dir, err)
	}
	out, err := m.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// decode reads every object of a stream into its type. Members that the type does not have
// and members that are there twice are errors.
func decode(t *testing.T, stream []byte) []runtime.Object {
	t.Helper()
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	var all []runtime.Object
	for document := range bytes.SplitSeq(stream, []byte("\n---\n")) {
		o, _, err := decoder.Decode(document, nil, nil)
		if err != nil {
			t.Errorf("%v, in:\n%s", err, document)
			continue
		}
		all = append(all, o)
	}
	return all
}

// objects returns the objects of type T.
func objects[T runtime.Object](all []runtime.Object) []T {
	var some []T
	for _, o := range all {
		if t, ok := o.(T); ok {
			some = append(some, t)
		}
	}
	return some
}

// workload is anything that makes pods.
type workload struct {
	metav1.ObjectMeta
	kind     string
	selector *metav1.LabelSelector // nil for a Job, which chooses its own
	pod      corev1.PodTemplateSpec
}

// container returns the only container of its pods.
func (w workload) container(t *testing.T) corev1.Container {
	t.Helper()
	if len(w.pod.Spec.Containers) != 1 {
		t.Fatalf("%s has %d containers", w.Name, len(w.pod.Spec.Containers))
	}
	return w.pod.Spec.Containers[0]
}

// port returns the container's port with the name.
func (w workload) port(t *testing.T, name string) (int32, bool) {
	t.Helper()
	for _, p := range w.container(t).Ports {
		if p.Name == name {
			return p.ContainerPort, true
		}
	}
	return 0, false
}

func workloads(all []runtime.Object) []workload {
	var some []workload
	for _, d := range objects[*appsv1.Deployment](all) {
		some = append(some, workload{d.ObjectMeta, "Deployment", d.Spec.Selector, d.Spec.Template})
	}
	for _, s := range objects[*appsv1.StatefulSet](all) {
		some = append(some, workload{s.ObjectMeta, "StatefulSet", s.Spec.Selector, s.Spec.Template})
	}
	for _, j := range objects[*batchv1.Job](all) {
		some = append(some, workload{j.ObjectMeta, "Job", nil, j.Spec.Template})
	}
	return some
}

// inOverlays runs a test on the objects of every overlay.
func inOverlays(t *testing.T, test func(t *testing.T, all []runtime.Object)) {
	for _, dir := range overlays {
		t.Run(filepath.Base(dir), func(t *testing.T) { test(t, decode(t, render(t, dir))) })
	}
}

// TestInstall keeps install.yaml what the dev overlay is.
func TestInstall(t *testing.T) {
	const head = `# kubectl apply -f install.yaml is the same as kubectl apply -k overlays/dev, of which this is made:
# cd deploy/k8s && go test ./check -run TestInstall -update
`
	want := append([]byte(head), render(t, "overlays/dev")...)
	path := filepath.Join(root, "install.yaml")
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("install.yaml is not what the dev overlay gives; write it with -update")
	}
}
