package unsend_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var block = regexp.MustCompile("(?ms)^```(go|console|yaml|)\n(.*?)^```$")

// TestReadmeSnippets holds every Go snippet of the README to the examples, which are run.
func TestReadmeSnippets(t *testing.T) {
	examples := dedent(read(t, "example_test.go"))
	found := 0
	for _, match := range block.FindAllStringSubmatch(read(t, "README.md"), -1) {
		if match[1] != "go" || strings.HasPrefix(match[2], "package main\n") { // make readme runs the programs
			continue
		}
		found++
		if !strings.Contains(examples, dedent(match[2])) {
			t.Errorf("example_test.go does not have this snippet of the README:\n%s", match[2])
		}
	}
	if found == 0 {
		t.Error("the README has no snippet")
	}
}

// TestReadmeLinks follows the README's and the documents' links within the repository.
func TestReadmeLinks(t *testing.T) {
	pages := []string{"README.md", "CONTRIBUTING.md"}
	for _, pattern := range []string{"docs/*.md", "docs/*/*.md", "examples/*/README.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	link := regexp.MustCompile(`\]\(([^)#]+)`)
	for _, page := range pages {
		for _, match := range link.FindAllStringSubmatch(block.ReplaceAllString(read(t, page), ""), -1) {
			if strings.HasPrefix(match[1], "http") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), match[1])); err != nil {
				t.Errorf("%s links to what is not there: %v", page, err)
			}
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

// dedent takes the indentation off all lines, so that a snippet may stand inside a function.
func dedent(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return strings.Join(lines, "\n")
}
