package kubernetes

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/unsend-go/unsend/internal/pgtest"
	"github.com/unsend-go/unsend/mock"
)

// TestPods runs what the pods would, at the same time, against a mock and a real PostgreSQL, and
// kills one of them: each message is unsent once, and a pod that comes later sends nothing.
func TestPods(t *testing.T) {
	database := pgtest.Shared(t)
	job := manifest(t)
	command, dir := build(t), t.TempDir()
	answered := make(chan struct{}, 1)
	server, messages := service(t, dir, answered)
	address := database.Address(t)
	pod := func() *exec.Cmd {
		var args []string
		for _, arg := range job.Spec.Template.Spec.Containers[0].Args {
			for _, mount := range job.Spec.Template.Spec.Containers[0].VolumeMounts {
				arg = strings.Replace(arg, mount.MountPath+"/", filepath.Join(dir, mount.Name)+"/", 1)
			}
			args = append(args, arg)
		}
		cmd := exec.CommandContext(t.Context(), command, append(args, "--base-url", server.URL())...)
		cmd.Env = append(os.Environ(), "UNSEND_LEDGER="+address)
		return cmd
	}
	killed := pod()
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-answered:
	case <-time.After(time.Minute):
		t.Error("the first pod sent nothing")
	}
	done := make(chan error)
	for range *job.Spec.Parallelism - 1 {
		go func() {
			out, err := pod().CombinedOutput()
			if err != nil {
				err = fmt.Errorf("a pod ended with %w:\n%s", err, out)
			}
			done <- err
		}()
	}
	_ = killed.Process.Kill()
	_ = killed.Wait() // it was killed
	for range *job.Spec.Parallelism - 1 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if got := server.Counts(); got.Unsent != messages {
		t.Errorf("the mock saw %+v, want %d messages unsent", got, messages)
	}
	before := server.Counts().Requests
	if out, err := pod().CombinedOutput(); err != nil || server.Counts().Requests != before {
		t.Errorf("a pod that came later sent %d requests and ended with %v:\n%s", server.Counts().Requests-before, err, out)
	}
	queries(t, database, address)
}

// queries tries what the README says to an operator.
func queries(t *testing.T, database *pgtest.Server, address string) {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, sql, _ := strings.Cut(string(text), "`SET search_path = unsend`:\n")
	var script strings.Builder
	for line := range strings.Lines(sql) {
		if strings.HasPrefix(line, "    ") {
			script.WriteString(line)
		}
	}
	if strings.Count(script.String(), "SELECT") < 6 {
		t.Fatalf("the README has no queries:\n%s", &script)
	}
	database.Exec(t, "SET search_path = "+pgtest.Param(address, "schema")+";"+script.String())
}

func build(t *testing.T) string {
	t.Helper()
	command := filepath.Join(t.TempDir(), "unsend")
	if runtime.GOOS == "windows" {
		command += ".exe"
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-C", filepath.Join("..", ".."), "-o", command, "./cmd/unsend")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	return command
}

// service starts a mock, and writes into dir what the pods find mounted. It returns how many
// messages there are.
func service(t *testing.T, dir string, answered chan<- struct{}) (*mock.Server, int) {
	t.Helper()
	const connections, each = 12, 20
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
	server := mock.New(mock.WithConnections(known...), mock.WithLog(func(mock.Entry, time.Duration) {
		select {
		case answered <- struct{}{}:
		default: // that one was is enough
		}
	}))
	if _, err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	for name, text := range map[string]string{
		"input/messages.csv":  input.String(),
		"credentials/api-key": mock.DemoKey + "\n",
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
