package repo

import (
	"io/fs"
	"os"
	"regexp"
	"slices"
	"testing"
)

// TestFileNamesFitAModule fails for a file that go cannot put into a module's zip: one such name,
// written by a slip of a shell, and nobody can download the module.
func TestFileNamesFitAModule(t *testing.T) {
	name := regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains([]string{".git", "node_modules", "bin", "dist"}, entry.Name()) {
			return fs.SkipDir
		}
		if !name.MatchString(entry.Name()) {
			t.Errorf("%q: want letters, digits, and . _ - in the name", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
