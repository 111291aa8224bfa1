package unsend_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestConsumersGetNoGenerator reads the go.mod that go writes for a program that imports some of
// the packages: it asks for what the program links, and not for what this module is made with.
func TestConsumersGetNoGenerator(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		packages []string
		atMost   int // modules, the consumer and this one among them
	}{
		"the client":      {packages: []string{"api"}, atMost: 6},
		"all but command": {packages: []string{"api", "batch", "contract", "mock"}, atMost: 30},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program := "package consumer\n"
			for _, imported := range c.packages {
				program += "\nimport _ \"github.com/unsend-go/unsend/" + imported + "\"\n"
			}
			dir := newConsumer(t, map[string]string{"consumer.go": program})
			inConsumer(t, dir, "build", ".")
			written := read(t, filepath.Join(dir, "go.mod"))
			if strings.Contains(written, "oapi-codegen/oapi-codegen") {
				t.Errorf("the generator is in it:\n%s", written)
			}
			if modules := 1 + len(regexp.MustCompile(`(?m)^(require|\t)\s*\S+ v`).FindAllString(written, -1)); modules > c.atMost {
				t.Errorf("%d modules, want at most %d:\n%s", modules, c.atMost, written)
			}
		})
	}
}

// newConsumer writes a module that requires this one, and nothing else yet.
func newConsumer(t *testing.T, files map[string]string) (dir string) {
	t.Helper()
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	files["go.sum"] = read(t, "go.sum") // so that go asks nobody
	files["go.mod"] = "module consumer\n\ngo 1.26.0\n\nrequire github.com/unsend-go/unsend v0.0.0\n\n" +
		"replace github.com/unsend-go/unsend => " + strconv.Quote(root) + "\n"
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// inConsumer runs the go command in dir, with nothing but what is on this machine already.
func inConsumer(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOSUMDB=off", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
