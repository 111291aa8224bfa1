package repo

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the repository's folder, seen from this package.
const root = "../.."

var block = regexp.MustCompile("(?ms)^```(go|console|yaml|)\n(.*?)^```$")

// TestReadmeSnippets fails for a Go snippet of the README that no tested example contains.
func TestReadmeSnippets(t *testing.T) {
	examples := dedent(read(t, "example_test.go"))
	found := 0
	for _, match := range block.FindAllStringSubmatch(read(t, "README.md"), -1) {
		if match[1] != "go" || strings.HasPrefix(match[2], "package main\n") { // make readme runs the programs
			continue
		}
		found++
		if !strings.Contains(examples, dedent(match[2])) {
			t.Errorf("example_test.go lacks this snippet of the README:\n%s", match[2])
		}
	}
	if found == 0 {
		t.Error("the README has no snippet")
	}
}

// TestReadmeBeginsWithThePoint keeps what the project is for within the first screen.
func TestReadmeBeginsWithThePoint(t *testing.T) {
	lines := strings.SplitAfter(read(t, "README.md"), "\n")
	first := strings.Join(lines[:min(60, len(lines))], "")
	for _, want := range []string{
		"oapi-codegen", "(openapi.yaml)", "client.Unsend(ctx", "openapi.yaml ──▶ make generate ──▶ gen ──▶ api",
		"## When the spec changes", "$ make generate\n$ git diff gen\n+", "$ make spec-diff", "$ make test\nok",
	} {
		if !strings.Contains(first, want) {
			t.Errorf("the README's first 60 lines lack %q", want)
		}
	}
}

// TestPagesAreFinished fails for a word that stands in for a text that is missing.
func TestPagesAreFinished(t *testing.T) {
	placeholder := regexp.MustCompile(`\b(BENCH|TODO|TBD|FIXME|XXX|WIP)\b|\?\?\?|(?i:lorem ipsum)`)
	for _, page := range pages(t) {
		if found := placeholder.FindAllString(read(t, page), -1); found != nil {
			t.Errorf("%s has %q", page, found)
		}
	}
}

// TestLinks follows the links of every page within the repository.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#]+)`)
	for _, page := range pages(t) {
		for _, match := range link.FindAllStringSubmatch(block.ReplaceAllString(read(t, page), ""), -1) {
			if strings.HasPrefix(match[1], "http") {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(page), match[1])); err != nil {
				t.Errorf("%s links to a missing file: %v", page, err)
			}
		}
	}
}

// pages returns the paths of all Markdown pages, from the root.
func pages(t *testing.T) []string {
	t.Helper()
	var paths []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "examples/*/README.md"} {
		found, err := fs.Glob(os.DirFS(root), pattern)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	return paths
}

// read returns the text of a file, given by its path from the root.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

// dedent removes the indentation of all lines, so that a snippet may stand inside a function.
func dedent(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return strings.Join(lines, "\n")
}
