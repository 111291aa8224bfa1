package kubernetes

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/mock"
)

// TestPods runs what the pods would, one after the other, against a mock: each message is
// unsent once, the journals make one report, and a pod that is replaced sends nothing again.
func TestPods(t *testing.T) {
	job, _ := manifest(t)
	pods := int(*job.Spec.Completions)
	command, dir := build(t), t.TempDir()
	server, messages := service(t, dir)
	run := func(index int) string {
		args := []string{}
		for _, arg := range job.Spec.Template.Spec.Containers[0].Args {
			arg = strings.ReplaceAll(arg, "$(SHARD)", strconv.Itoa(index))
			for _, mount := range job.Spec.Template.Spec.Containers[0].VolumeMounts {
				arg = strings.Replace(arg, mount.MountPath+"/", filepath.Join(dir, mount.Name)+"/", 1)
			}
			args = append(args, arg)
		}
		return output(t, command, append(args, "--base-url", server.URL())...)
	}
	for index := range pods {
		run(index)
	}
	if got := server.Counts(); got.Unsent != messages || got.Requests != messages {
		t.Errorf("the mock saw %+v, want %d messages unsent by as many requests", got, messages)
	}
	journals, err := filepath.Glob(filepath.Join(dir, "journals", "*.journal"))
	if err != nil || len(journals) != pods {
		t.Fatalf("there are the journals %v, want %d (%v)", journals, pods, err)
	}
	report := output(t, command, append([]string{"batch", "--report"}, journals...)...)
	if want := fmt.Sprintf("\n  %d  unsent\n", messages); !strings.HasSuffix(report, want) {
		t.Errorf("the report is\n%swant it to end with %q", report, want)
	}
	for index := range pods {
		run(index)
	}
	if got := server.Counts().Requests; got != messages {
		t.Errorf("%d requests came, want none beyond %d when the pods are replaced", got, messages)
	}
}

func build(t *testing.T) string {
	t.Helper()
	command := filepath.Join(t.TempDir(), "unsend")
	if runtime.GOOS == "windows" {
		command += ".exe"
	}
	output(t, "go", "build", "-C", filepath.Join("..", ".."), "-o", command, "./cmd/unsend")
	return command
}

// service starts a mock, and writes into dir what the pods find mounted. It returns how many
// messages there are.
func service(t *testing.T, dir string) (*mock.Server, int) {
	t.Helper()
	const connections, each = 12, 5
	var known []mock.Connection
	var input strings.Builder
	input.WriteString("user_id,message_id,connection_id\n")
	for c := range connections {
		id := fmt.Sprintf("conn_%d", c)
		known = append(known, mock.Connection{ID: id})
		for m := range each {
			fmt.Fprintf(&input, "5,%d,%s\n", c*each+m+1, id)
		}
	}
	server := mock.New(mock.WithConnections(known...))
	if _, err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	for name, text := range map[string]string{
		"input/messages.csv":  input.String(),
		"credentials/api-key": mock.DemoKey + "\n",
		"journals/README":     "",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return server, connections * each
}

// output runs a command that must end well, and returns its standard output.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s%s", name, args, err, out, &stderr)
	}
	return string(out)
}
