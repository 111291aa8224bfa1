package unsend_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestConsumer vets and tests a program in a module of its own that uses this one, as someone
// who follows the README would write it, and whose first snippet it runs.
func TestConsumer(t *testing.T) {
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		// The requirements of this module, so that go needs to look for none.
		"go.mod":          strings.Replace(read(t, "go.mod"), "module github.com/unsend-go/unsend\n", "module consumer\n", 1),
		"go.sum":          read(t, "go.sum"),
		"program.go":      read(t, "testdata/consumer/program.go"),
		"program_test.go": read(t, "testdata/consumer/program_test.go"),
		"first.go":        firstProgram(t),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	inConsumer(t, dir, "mod", "edit", "-require", "github.com/unsend-go/unsend@v0.0.0", "-replace", "github.com/unsend-go/unsend="+root)
	inConsumer(t, dir, "vet", ".")
	inConsumer(t, dir, "test", "-count=1", "-timeout=1m", ".")
}

// TestConsumerUsesReadme holds the consumer to the exported names that the README uses: those
// of a package, and those that stand alone in the prose.
func TestConsumerUsesReadme(t *testing.T) {
	program := read(t, "testdata/consumer/program.go") + read(t, "testdata/consumer/program_test.go") + firstProgram(t)
	page := read(t, "README.md")
	found := 0
	for _, match := range regexp.MustCompile(`\b(?:api|batch|contract|mock)\.[A-Z]\w*`).FindAllString(page, -1) {
		found++
		if !regexp.MustCompile(`\b` + regexp.QuoteMeta(match) + `\b`).MatchString(program) {
			t.Errorf("the README uses %s; use it in testdata/consumer too", match)
		}
	}
	for _, match := range regexp.MustCompile("`([A-Z]\\w*[a-z]\\w*)(?:\\(\\))?`").FindAllStringSubmatch(page, -1) {
		found++
		if !regexp.MustCompile(`\.` + match[1] + `\b`).MatchString(program) {
			t.Errorf("the README uses %s; use it in testdata/consumer too", match[1])
		}
	}
	if found == 0 {
		t.Error("the README uses no name")
	}
}

// firstProgram makes a function of the first snippet of the README.
func firstProgram(t *testing.T) string {
	t.Helper()
	for _, match := range block.FindAllStringSubmatch(read(t, "README.md"), -1) {
		if match[1] == "go" {
			return "package consumer\n\nimport (\n\t\"context\"\n\t\"fmt\"\n\n\t\"github.com/unsend-go/unsend/api\"\n)\n\n" +
				"func first(ctx context.Context) {\n" + match[2] + "}\n"
		}
	}
	t.Fatal("the README has no snippet")
	return ""
}

// inConsumer runs the go command in dir, with nothing but what is on this machine already.
func inConsumer(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
