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
	printed  = regexp.MustCompile("`([^`]+)`")

	// composed are texts that the command puts together, or that other packages print.
	composed = regexp.MustCompile(`^(requires FILE|flag needs|unknown flag|OFAUTH_API_KEY is|invalid configuration|` +
		`bad rows in|rows name no|it is an Excel|is of http)`)
)

// TestOperatorsPage: every error with which a batch can end is on the page for operators, by its
// words up to what to do, and every text that the page quotes is printed.
func TestOperatorsPage(t *testing.T) {
	t.Parallel()
	page := readFile(t, "../../docs/batch/operating.md")
	sources := sourcesOf(t, "batch.go", "report.go", "page.go", "confirm.go", "ledger.go", "input.go", "shutdown.go", "client.go",
		"../../batch/input/*.go", "../../batch/internal/cell/*.go", "../../batch/sqlite/*.go")
	found := 0
	for _, source := range sources {
		for _, text := range errorTexts(t, source) {
			found++
			if !strings.Contains(page, text) {
				t.Errorf("the page lacks %q", text)
			}
		}
	}
	if found < 50 {
		t.Errorf("%d errors were found in the sources; this test would find nothing", found)
	}
	sources = append(sources, sourcesOf(t, "address.go", "main.go", "usage.go", "../../batch/*.go", "../../internal/ids/*.go")...)
	all := verb.ReplaceAllString(strings.ReplaceAll(strings.Join(sources, ""), `\"`, `"`), "…")
	_, tables, _ := strings.Cut(page, "### The command")
	for row := range strings.Lines(tables) {
		cell, _, _ := strings.Cut(row, " | ")
		for _, quoted := range printed.FindAllStringSubmatch(cell, -1) {
			for part := range strings.SplitSeq(quoted[1], "…") {
				part = strings.Trim(part, " :,-")
				if strings.Contains(part, " ") && !composed.MatchString(part) && !strings.Contains(all, part) {
					t.Errorf("the page quotes %q, which no batch prints", quoted[1])
				}
			}
		}
	}
}

// sourcesOf reads the files that match the patterns, but tests.
func sourcesOf(t *testing.T, patterns ...string) (sources []string) {
	t.Helper()
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil || files == nil {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		for _, name := range files {
			if !strings.HasSuffix(name, "_test.go") {
				sources = append(sources, readFile(t, name))
			}
		}
	}
	return sources
}

// errorTexts are the first words of the errors that a source makes, with … for what varies.
func errorTexts(t *testing.T, source string) (texts []string) {
	t.Helper()
	for _, match := range made.FindAllStringSubmatch(source, -1) {
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
