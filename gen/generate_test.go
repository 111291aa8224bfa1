package gen_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestGeneratedIsCommitted walks the path of `make generate` in a copy, so that it says no
// without changing anything.
func TestGeneratedIsCommitted(t *testing.T) {
	t.Parallel()
	dir := copyModule(t)
	committed := generatedFiles(t, dir)
	for path := range committed {
		if err := os.Remove(filepath.Join(dir, path)); err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, "generate", "./...")

	written := generatedFiles(t, dir)
	for path, want := range written {
		if !bytes.Equal(committed[path], want) {
			t.Errorf("%s is not what openapi.yaml says: run make generate, and commit what it writes", path)
		}
	}
	for path := range committed {
		if _, ok := written[path]; !ok {
			t.Errorf("%s is written by no generator: remove it", path)
		}
	}
	if len(written) == 0 {
		t.Error("go generate wrote nothing")
	}
}

// copyModule copies this module's files into a folder of the test: another place for the
// generator to write to, with the same go.mod, so that the module cache is all it needs.
func copyModule(t *testing.T) string {
	t.Helper()
	from, to := os.DirFS(".."), t.TempDir()
	err := fs.WalkDir(from, ".", func(path string, entry fs.DirEntry, err error) error {
		switch name := entry.Name(); {
		case err != nil:
			return err
		case !entry.IsDir():
			content, err := fs.ReadFile(from, path)
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(to, path), content, 0o600)
		case path == ".":
			return nil
		case strings.HasPrefix(name, "."), name == "node_modules", name == "bin", name == "dist", name == "testdata":
			return fs.SkipDir
		}
		if _, err := fs.Stat(from, path+"/go.mod"); err == nil {
			return fs.SkipDir // another module
		}
		return os.Mkdir(filepath.Join(to, path), 0o700)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// generatedFiles reads what generators wrote below dir, by its path.
func generatedFiles(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	module := os.DirFS(dir)
	err := fs.WalkDir(module, ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".gen.go") {
			return err
		}
		files[path], err = fs.ReadFile(module, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// run runs the go command in dir and returns what it printed.
func run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s%s", strings.Join(args, " "), err, out, complaints.Bytes())
	}
	return string(out)
}
