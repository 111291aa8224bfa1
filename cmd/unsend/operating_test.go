package main

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	made     = regexp.MustCompile(`\b(?:New|Errorf|unusable|errInterrupted)\(("(?:[^"\\]|\\.)*"|` + "`[^`]*`)")
	verb     = regexp.MustCompile(`%[a-z]`)
	sentence = regexp.MustCompile(`[a-z]+ .*[a-z]+ [a-z]+`)
	leading  = regexp.MustCompile(`^(… )*(…: )?`)
)

// TestOperatorsPage: every error with which a batch can end is on the page for operators, by its
// words up to what to do.
func TestOperatorsPage(t *testing.T) {
	t.Parallel()
	page := readFile(t, "../../docs/batch/operating.md")
	var sources []string
	for _, pattern := range []string{
		"batch.go", "report.go", "page.go", "confirm.go", "ledger.go", "input.go", "shutdown.go", "client.go",
		"../../batch/input/*.go", "../../batch/internal/cell/*.go", "../../batch/sqlite/*.go",
	} {
		files, err := filepath.Glob(pattern)
		if err != nil || files == nil {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		sources = append(sources, files...)
	}
	found := 0
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, text := range errorTexts(t, name) {
			found++
			if !strings.Contains(page, text) {
				t.Errorf("%s: the page lacks %q", name, text)
			}
		}
	}
	if found < 50 {
		t.Errorf("%d errors were found in the sources; this test would find nothing", found)
	}
}

// errorTexts are the first words of the errors that a file makes, with … for what varies.
func errorTexts(t *testing.T, name string) (texts []string) {
	t.Helper()
	for _, match := range made.FindAllStringSubmatch(readFile(t, name), -1) {
		text, err := strconv.Unquote(match[1])
		if err != nil {
			t.Fatal(err)
		}
		text = leading.ReplaceAllString(verb.ReplaceAllString(text, "…"), "")
		for _, end := range []string{"; ", ": ", ", ", " (", " while "} {
			if first, _, _ := strings.Cut(text, end); sentence.MatchString(first) || end == "; " || end == ": " {
				text = first
			}
		}
		hidden := text == "end of the input" || text == "is open for reading only" // which no command prints
		if !hidden && sentence.MatchString(text) {
			texts = append(texts, text)
		}
	}
	return texts
}
