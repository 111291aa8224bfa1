package repo

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestArchitectureNamesWhatIsThere fails for a file or a function of docs/architecture.md that the
// code does not have.
func TestArchitectureNamesWhatIsThere(t *testing.T) {
	const page = "docs/architecture.md"
	text := strings.Join(strings.Fields(read(t, page)), " ")

	path := regexp.MustCompile("`((?:api|batch|cmd|contract|docs|gen|internal|mock|e2e|examples|tools)/[^` ]*|[a-z.-]+\\.(?:go|yaml|yml))`")
	paths := path.FindAllStringSubmatch(text, -1)
	for _, match := range paths {
		if _, err := os.Stat(filepath.Join(root, match[1])); err != nil {
			t.Errorf("%s names a missing file: %v", page, err)
		}
	}
	function := regexp.MustCompile("`([A-Za-z]+)` (?:\\(|in |of |is in )`([^`]+\\.go)`")
	functions := function.FindAllStringSubmatch(text, -1)
	for _, match := range functions {
		declared := regexp.MustCompile(`(?m)^(func( \([^)]*\))?|type) ` + match[1] + `\b`)
		if !declared.MatchString(read(t, match[2])) {
			t.Errorf("%s places %s in %s, which does not declare it", page, match[1], match[2])
		}
	}
	if len(paths) < 30 || len(functions) < 10 {
		t.Errorf("found %d paths and %d functions on %s: want at least 30 and 10", len(paths), len(functions), page)
	}
}
