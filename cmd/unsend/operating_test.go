package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	verb     = regexp.MustCompile(`%[a-z]`)
	sentence = regexp.MustCompile(`[a-z]+ .*[a-z]+ [a-z]+`)
	leading  = regexp.MustCompile(`^(… )*(…: )?`)
)

// TestOperatorsPage: every error with which a batch can end is on the page for operators, by its
// words up to what to do.
func TestOperatorsPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/batch/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	var sources []string
	for _, pattern := range []string{
		"batch.go", "confirm.go", "ledger.go", "input.go", "shutdown.go", "client.go",
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
			if !strings.Contains(string(page), text) {
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
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		made := ""
		switch f := call.Fun.(type) {
		case *ast.SelectorExpr:
			made = f.Sel.Name
		case *ast.Ident:
			made = f.Name
		}
		literal, ok := call.Args[0].(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		switch made {
		case "New", "Errorf", "unusable", "errInterrupted":
		default:
			return true
		}
		text, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		text = leading.ReplaceAllString(verb.ReplaceAllString(text, "…"), "")
		for _, end := range []string{"; ", ": ", ", ", " (", " while "} {
			if first, _, _ := strings.Cut(text, end); sentence.MatchString(first) || end == "; " || end == ": " {
				text = first
			}
		}
		switch text {
		case "end of the input", "is open for reading only": // which no command prints
			return true
		}
		if sentence.MatchString(text) {
			texts = append(texts, text)
		}
		return true
	})
	return texts
}
