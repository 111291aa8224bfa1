package repo

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestConsumersGetNoGenerator builds a program that imports some of the packages and requires the
// modules that they link, and no other: neither the generator nor what tests and tools need.
func TestConsumersGetNoGenerator(t *testing.T) {
	t.Parallel()
	for name, packages := range map[string][]string{
		"the client":          {"api"},
		"all but the command": {"api", "batch", "contract", "mock"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program, linked := "package consumer\n", []string(nil)
			for _, imported := range packages {
				program += "\nimport _ \"github.com/unsend-go/unsend/" + imported + "\"\n"
				listed := goRun(t, root, "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}", "./"+imported)
				linked = append(linked, strings.Split(strings.TrimSpace(listed), "\n")...)
			}
			slices.Sort(linked)
			linked = slices.DeleteFunc(slices.Compact(linked), func(module string) bool { return module == "" })

			for _, module := range linked {
				if strings.HasPrefix(module, "github.com/oapi-codegen/oapi-codegen") {
					t.Errorf("the program links the generator: %s", module)
				}
			}
			goRun(t, newConsumer(t, program, linked), "build", ".") // fails if another module is missing
		})
	}
}

// newConsumer writes a module with one file, which requires this module and the given ones.
func newConsumer(t *testing.T, program string, modules []string) (dir string) {
	t.Helper()
	this, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for name, text := range map[string]string{
		"consumer.go": program,
		"go.sum":      read(t, "go.sum"),
		"go.mod": "module consumer\n\ngo 1.26.0\n\nrequire (\n\tgithub.com/unsend-go/unsend v0.0.0\n\t" +
			strings.Join(modules, "\n\t") + "\n)\n\nreplace github.com/unsend-go/unsend => " + strconv.Quote(this) + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// goRun runs the go command in dir and returns its output.
func goRun(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off")
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, complaints.String())
	}
	return string(out)
}
