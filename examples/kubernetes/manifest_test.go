package kubernetes

import (
	"bytes"
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
func manifest(t *testing.T) (batchv1.Job, corev1.PersistentVolumeClaim) {
	t.Helper()
	text, err := os.ReadFile("job.yaml")
	if err != nil {
		t.Fatal(err)
	}
	documents := bytes.Split(text, []byte("\n---\n"))
	if len(documents) != 2 {
		t.Fatalf("job.yaml has %d documents, want a claim and a job", len(documents))
	}
	var claim corev1.PersistentVolumeClaim
	if err := yaml.UnmarshalStrict(documents[0], &claim); err != nil {
		t.Fatal(err)
	}
	var job batchv1.Job
	if err := yaml.UnmarshalStrict(documents[1], &job); err != nil {
		t.Fatal(err)
	}
	return job, claim
}

// TestStrict proves that a misspelled member does not go unseen.
func TestStrict(t *testing.T) {
	var job batchv1.Job
	if err := yaml.UnmarshalStrict([]byte("spec: {completionmode: Indexed, completion: 4}"), &job); err == nil {
		t.Error("members that no Job has are taken")
	}
}

func TestKinds(t *testing.T) {
	job, claim := manifest(t)
	if job.Kind != "Job" || job.APIVersion != batchv1.SchemeGroupVersion.String() {
		t.Errorf("the job is a %s of %s", job.Kind, job.APIVersion)
	}
	if claim.Kind != "PersistentVolumeClaim" || claim.APIVersion != corev1.SchemeGroupVersion.String() {
		t.Errorf("the claim is a %s of %s", claim.Kind, claim.APIVersion)
	}
}

// TestShards holds the number of pods against the number of shards.
func TestShards(t *testing.T) {
	job, _ := manifest(t)
	spec := job.Spec
	if spec.CompletionMode == nil || *spec.CompletionMode != batchv1.IndexedCompletion {
		t.Fatalf("the completion mode is %v, want Indexed", spec.CompletionMode)
	}
	args := spec.Template.Spec.Containers[0].Args
	want := fmt.Sprintf("--shard=$(SHARD)/%d", *spec.Completions)
	if !slices.Contains(args, want) {
		t.Errorf("%d pods run %q, want %s", *spec.Completions, args, want)
	}
	if *spec.Parallelism > *spec.Completions {
		t.Errorf("%d pods at once, of %d", *spec.Parallelism, *spec.Completions)
	}
	env := spec.Template.Spec.Containers[0].Env
	if len(env) != 1 || env[0].Name != "SHARD" || env[0].ValueFrom.FieldRef.FieldPath != "metadata.annotations['"+batchv1.JobCompletionIndexAnnotation+"']" {
		t.Errorf("the environment is %v, want SHARD to be the index of the pod", env)
	}
}

// TestFailurePolicy holds the exit codes against what Kubernetes asks of a policy: pods that
// are not restarted in place, and a limit for each index where one index may fail.
func TestFailurePolicy(t *testing.T) {
	job, _ := manifest(t)
	spec := job.Spec
	if spec.Template.Spec.RestartPolicy != corev1.RestartPolicyNever || spec.BackoffLimitPerIndex == nil {
		t.Errorf("restart policy %s, limit for each index %v", spec.Template.Spec.RestartPolicy, spec.BackoffLimitPerIndex)
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
		batchv1.PodFailurePolicyActionFailJob:   {2},
		batchv1.PodFailurePolicyActionFailIndex: {3},
		batchv1.PodFailurePolicyActionIgnore:    nil,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the policy is %v, want %v", got, want)
	}
}

// TestMounts follows every path of the arguments to a mount, and every mount to a volume.
func TestMounts(t *testing.T) {
	job, claim := manifest(t)
	pod := job.Spec.Template.Spec
	volumes := map[string]corev1.VolumeSource{}
	for _, volume := range pod.Volumes {
		volumes[volume.Name] = volume.VolumeSource
	}
	var mounted []string
	for _, mount := range pod.Containers[0].VolumeMounts {
		if _, ok := volumes[mount.Name]; !ok {
			t.Errorf("%s is mounted from %s, which there is not", mount.MountPath, mount.Name)
		}
		mounted = append(mounted, mount.MountPath+"/")
	}
	for _, arg := range pod.Containers[0].Args {
		_, path, _ := strings.Cut(arg, "/")
		if !strings.HasPrefix(arg, "/") && !strings.Contains(arg, "=/") {
			continue
		}
		if !slices.ContainsFunc(mounted, func(dir string) bool { return strings.HasPrefix("/"+path, dir) }) {
			t.Errorf("%s is on none of %v", arg, mounted)
		}
	}
	if source := volumes["journals"].PersistentVolumeClaim; source == nil || source.ClaimName != claim.Name {
		t.Errorf("the journals are on %v, want the claim %s", source, claim.Name)
	}
}
