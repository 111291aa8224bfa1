package gen_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestGeneratedIsCommitted runs `make generate` in a copy and compares what it writes with what
// is committed.
func TestGeneratedIsCommitted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"gen", "internal/spec"} {
		if err := os.CopyFS(filepath.Join(dir, name), os.DirFS("../"+name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"go.mod", "go.sum", "generate.go", "openapi.yaml"} {
		if err := os.WriteFile(filepath.Join(dir, name), read(t, "../"+name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	written := []string{"gen/models.gen.go", "gen/client.gen.go", "internal/spec/openapi.yaml"}
	for _, name := range written {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	generate := exec.CommandContext(t.Context(), "go", "generate", ".")
	generate.Dir = dir
	if out, err := generate.CombinedOutput(); err != nil {
		t.Fatalf("go generate: %v\n%s", err, out)
	}
	for _, name := range written {
		if !bytes.Equal(read(t, filepath.Join(dir, name)), read(t, "../"+name)) {
			t.Errorf("%s is not what openapi.yaml generates: run make generate, and commit what it writes", name)
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestMembersArePlainValues fails for a pointer to a plain value, which every reader would have to
// check for nil, and for a struct without a name. An item may be a pointer to a struct: null.
func TestMembersArePlainValues(t *testing.T) {
	t.Parallel()
	for line := range strings.Lines(string(read(t, "models.gen.go"))) {
		name, typ, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name != "//" && name != "type" && name != "Queue" && strings.Contains(strings.ReplaceAll(typ, "[]*", "[]"), "*") {
			t.Errorf("%s is a pointer: %s", name, typ)
		}
		if name != "//" && name != "type" && strings.Contains(typ, "struct {") {
			t.Errorf("%s has a type without a name", name)
		}
	}
}
