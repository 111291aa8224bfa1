// Command figures writes what `make bench` measured into the pages that show it:
//
//	go run ./tools/figures RESULTS
//
// RESULTS is what go test -bench printed. Each page has blocks between the marks
// <!-- bench:NAME --> and <!-- /bench -->; what stands there is replaced.
package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// pages are those that show figures.
func pages() []string {
	return []string{"README.md", "docs/benchmarks.md", "docs/batch/scaling.md"}
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: figures RESULTS")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "figures:", err)
		os.Exit(1)
	}
}

func write(path string) error {
	text, err := os.ReadFile(path) //nolint:gosec // the file that was asked for
	if err != nil {
		return err
	}
	all, err := parse(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, page := range pages() {
		before, err := os.ReadFile(page) //nolint:gosec // of the list above
		if err != nil {
			return err
		}
		after, err := fill(string(before), blocks(all))
		if err != nil {
			return fmt.Errorf("%s: %w", page, err)
		}
		if err := os.WriteFile(page, []byte(after), 0o644); err != nil { //nolint:gosec // a page is read by everybody
			return err
		}
	}
	return nil
}

var mark = regexp.MustCompile(`(?s)(<!-- bench:(\S+) -->\n).*?(<!-- /bench -->)`)

// fill replaces what stands between the marks of a page.
func fill(page string, blocks map[string]string) (string, error) {
	found := mark.FindAllStringSubmatchIndex(page, -1)
	if found == nil {
		return "", fmt.Errorf("the page has no block <!-- bench:NAME --> … <!-- /bench -->")
	}
	var b strings.Builder
	end := 0
	for _, at := range found {
		name := page[at[4]:at[5]]
		block, ok := blocks[name]
		if !ok {
			return "", fmt.Errorf("no figures are known by the name %q", name)
		}
		b.WriteString(page[end:at[3]] + block)
		end = at[6]
	}
	return b.String() + page[end:], nil
}
