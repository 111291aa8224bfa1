package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestContractReadsNoGigabyte judges a body of 1 GB, most of it a hole in the file, in little
// memory.
func TestContractReadsNoGigabyte(t *testing.T) {
	name := filepath.Join(t.TempDir(), "large.json")
	writeFile(t, name, `{"success": true, "queue": "`+strings.Repeat("much ", 4<<10))
	if err := os.Truncate(name, 1<<30); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	code, out := runCode(t, "contract", name)
	runtime.ReadMemStats(&after)
	if code != exitFailed || !strings.Contains(out, "response body: ") || strings.Count(out, "\n") != 2 {
		t.Errorf("exit code %d, want 1 and one departure:\n%s", code, out)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 128<<20 {
		t.Errorf("%d MiB were allocated on the way", grown>>20)
	}
}

// TestContractOfDeepNesting judges bodies made to exhaust the stack.
func TestContractOfDeepNesting(t *testing.T) {
	const depth = 1 << 20
	for _, body := range []string{
		strings.Repeat("[", depth),
		strings.Repeat(`{"a":`, depth),
		`{"success": true, "queue": {"id": 1, "releaseForms": ` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}}`,
	} {
		name := filepath.Join(t.TempDir(), "deep.json")
		writeFile(t, name, body)
		if code, out := runCode(t, "contract", name); code != exitFailed || strings.Count(out, "\n") > 3 {
			t.Errorf("%.20s…: exit code %d, want 1 and a few lines:\n%.500s", body, code, out)
		}
	}
}
