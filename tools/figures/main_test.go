package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPagesAgree fails for a page whose figures are not those of the last run of `make bench`, and
// so for two pages that disagree.
func TestPagesAgree(t *testing.T) {
	r, err := parse(read(t, "testdata/results.txt"))
	if err != nil {
		t.Fatal(err)
	}
	ratio := regexp.MustCompile(`\d ×`)
	for _, page := range pages() {
		text := read(t, filepath.Join("../..", page))
		want, err := fill(text, blocks(r))
		if err != nil {
			t.Errorf("%s: %v", page, err)
		}
		if text != want {
			t.Errorf("%s has other figures than testdata/results.txt; want\n%s", page, want)
		}
		if !strings.HasSuffix(page, "scaling.md") && ratio.MatchString(mark.ReplaceAllString(text, "")) {
			t.Errorf("%s has a ratio that no command wrote", page)
		}
	}
}

func TestTables(t *testing.T) {
	r, err := parse(`cpu: A Processor
go: Go 1.26.8
BenchmarkCall/2KB/unsend-2  9  141.2 allocs/call  1.3 x-floor
BenchmarkCall/2KB/unsend-2  9  141.2 allocs/call  1.1 x-floor
BenchmarkCall/2KB/unsend-2  9  141.2 allocs/call  9.0 x-floor
BenchmarkReorder/300000-2  1  2.0 cpu-s
BenchmarkReorder/1000000-2  1  8.0 cpu-s
BenchmarkBatch/1x8-2  1  12345 messages/s
`)
	if err != nil {
		t.Fatal(err)
	}
	page, err := fill("a\n<!-- bench:call -->\nold\n<!-- /bench -->\nb\n<!-- bench:batch -->\n<!-- /bench -->\n"+
		"<!-- bench:chart -->\n<!-- /bench -->\nc\n", blocks(r))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"a\n<!-- bench:call -->\n", "| `Unsend` | 1.30 × | not measured |", "| n^1.15 |", "12,300", "A Processor", "<!-- /bench -->\nc\n",
		"  2 KB  Unsend            ███ 1.30 ×\n",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	if strings.Contains(page, "old") {
		t.Errorf("what stood between the marks is still there:\n%s", page)
	}
}

func TestRefusals(t *testing.T) {
	if _, err := parse("ok\n"); err == nil {
		t.Error("results without a benchmark are taken")
	}
	for name, page := range map[string]string{"no block": "text\n", "an unknown block": "<!-- bench:weather -->\n<!-- /bench -->\n"} {
		if _, err := fill(page, map[string]string{"call": "1"}); err == nil {
			t.Errorf("%s: a page is filled", name)
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
