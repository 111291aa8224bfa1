package kubernetes

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// manifest reads job.yaml as the cluster would, but refuses members that it would not know.
func manifest(t *testing.T) batchv1.Job {
	t.Helper()
	text, err := os.ReadFile("job.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var job batchv1.Job
	if err := yaml.UnmarshalStrict(text, &job); err != nil {
		t.Fatal(err)
	}
	if job.Kind != "Job" || job.APIVersion != batchv1.SchemeGroupVersion.String() {
		t.Fatalf("the manifest is of a %s of %s", job.Kind, job.APIVersion)
	}
	return job
}

// TestPodsAreAlike: any pod does any part, and one that comes to the end ends the Job.
func TestPodsAreAlike(t *testing.T) {
	spec := manifest(t).Spec
	if spec.CompletionMode != nil || spec.Completions != nil {
		t.Errorf("the Job counts completions: %v, mode %v", spec.Completions, spec.CompletionMode)
	}
	if spec.Parallelism == nil || *spec.Parallelism < 2 {
		t.Errorf("parallelism is %v; want several", spec.Parallelism)
	}
}

// TestFailurePolicy holds the exit codes against what Kubernetes asks of a policy: pods that are
// not restarted in place.
func TestFailurePolicy(t *testing.T) {
	spec := manifest(t).Spec
	if spec.Template.Spec.RestartPolicy != corev1.RestartPolicyNever {
		t.Errorf("the restart policy is %s", spec.Template.Spec.RestartPolicy)
	}
	got := map[batchv1.PodFailurePolicyAction][]int32{}
	for _, rule := range spec.PodFailurePolicy.Rules {
		if rule.OnExitCodes == nil {
			got[rule.Action] = nil
			continue
		}
		if name := *rule.OnExitCodes.ContainerName; name != spec.Template.Spec.Containers[0].Name {
			t.Errorf("a rule is for the container %s, which there is not", name)
		}
		got[rule.Action] = rule.OnExitCodes.Values
	}
	want := map[batchv1.PodFailurePolicyAction][]int32{
		batchv1.PodFailurePolicyActionFailJob: {2, 3},
		batchv1.PodFailurePolicyActionIgnore:  nil,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the policy is %v, want %v", got, want)
	}
}

// TestMounts follows every path of the arguments and the environment to a mount, and every mount
// to a volume.
func TestMounts(t *testing.T) {
	pod := manifest(t).Spec.Template.Spec
	var volumes, mounted []string
	for _, volume := range pod.Volumes {
		volumes = append(volumes, volume.Name)
	}
	for _, mount := range pod.Containers[0].VolumeMounts {
		if !slices.Contains(volumes, mount.Name) {
			t.Errorf("%s is mounted from %s, which there is not", mount.MountPath, mount.Name)
		}
		mounted = append(mounted, mount.MountPath+"/")
	}
	words := pod.Containers[0].Args
	for _, env := range pod.Containers[0].Env {
		words = append(words, env.Value)
	}
	for _, word := range words {
		path := word[strings.LastIndex(word, "=")+1:]
		if strings.HasPrefix(path, "/") && !slices.ContainsFunc(mounted, func(dir string) bool { return strings.HasPrefix(path, dir) }) {
			t.Errorf("%s is on none of %v", path, mounted)
		}
	}
}

// TestNoPasswordShows: the password comes from a secret, and the address goes without.
func TestNoPasswordShows(t *testing.T) {
	for _, env := range manifest(t).Spec.Template.Spec.Containers[0].Env {
		switch {
		case env.Name == "PGPASSWORD" && (env.Value != "" || env.ValueFrom.SecretKeyRef == nil):
			t.Error("the password stands in the manifest")
		case env.Name == "UNSEND_LEDGER" && strings.Count(env.Value, ":") > 1:
			t.Errorf("the address %s may hold a password", env.Value)
		}
	}
}
