package unsend_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// mayImport is which packages may import which, as docs/architecture.md draws it.
var mayImport = map[string][]string{
	"":                         {},
	"gen":                      {},
	"internal/ids":             {},
	"internal/ratelimit":       {},
	"internal/textutil":        {},
	"internal/transport":       {},
	"internal/bench":           {},
	"internal/spec":            {},
	"api":                      {"gen", "internal/ids", "internal/ratelimit", "internal/transport"},
	"batch":                    {"api", "batch/internal/cell", "internal/ids", "internal/textutil"},
	"batch/input":              {"api", "batch", "batch/internal/cell"},
	"batch/internal/cell":      {"internal/ids", "internal/textutil"},
	"batch/sqlite":             {"batch", "internal/textutil"},
	"batch/internal/storetest": {"api", "batch", "mock"},
	"batch/postgres":           {"batch", "internal/textutil"},
	"internal/pgtest":          {},
	"contract":                 {"internal/spec"},
	"mock":                     {"contract", "internal/spec"},
	"mock/docs":                {"internal/spec"},
	"cmd/unsend": {
		"api", "batch", "batch/input", "batch/postgres", "batch/sqlite", "contract", "internal/ids", "internal/spec", "mock", "mock/docs",
	},
	"tools/follow": {},
}

// TestImportsPointOneWay fails for an import that is not drawn, and for one that is drawn and
// gone. Tests may import what they like.
func TestImportsPointOneWay(t *testing.T) {
	const module = "github.com/unsend-go/unsend"
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	folder := func(path string) string { return strings.TrimPrefix(strings.TrimPrefix(path, module), "/") }
	for line := range strings.Lines(string(out)) {
		paths := strings.Fields(line)
		name := folder(paths[0])
		allowed, known := mayImport[name]
		if !known {
			t.Errorf("package %q is not drawn: add it to mayImport, and to docs/architecture.md", name)
			continue
		}
		var imported []string
		for _, path := range paths[1:] {
			if strings.HasPrefix(path, module) {
				imported = append(imported, folder(path))
			}
		}
		if slices.Sort(allowed); !slices.Equal(imported, allowed) {
			t.Errorf("%s imports %q, and is drawn to import %q", name, imported, allowed)
		}
	}
}
