package main

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/unsend-go/unsend/gen"
	"github.com/unsend-go/unsend/internal/snapshot/kinds"
)

// TestWrittenIsCommitted also shows that the generator writes the same twice.
func TestWrittenIsCommitted(t *testing.T) {
	for name, committed := range map[string]string{"gen": "../decode.gen.go", "kinds": "../kinds_gen_test.go"} {
		want, err := os.ReadFile(committed)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "written.go")
		if err := run([]string{name, path}); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the generator writes: run it again, as its documentation says", committed)
		}
	}
}

func TestFormOf(t *testing.T) {
	home := reflect.TypeFor[gen.Queue]().PkgPath()
	for want, types := range map[form][]reflect.Type{
		scalar: {reflect.TypeFor[bool](), reflect.TypeFor[int64](), reflect.TypeFor[string](), reflect.TypeFor[gen.MediaType]()},
		custom: {reflect.TypeFor[gen.Price](), reflect.TypeFor[gen.WithUserID]()},
		object: {reflect.TypeFor[gen.Queue](), reflect.TypeFor[gen.Rendition]()},
		list:   {reflect.TypeFor[[]gen.Media](), reflect.TypeFor[[]int64](), reflect.TypeFor[[]gen.Price]()},
		other: {
			reflect.TypeFor[any](), reflect.TypeFor[*int](), reflect.TypeFor[**int](), reflect.TypeFor[map[string]int](),
			reflect.TypeFor[[]byte](), reflect.TypeFor[[][]int](), reflect.TypeFor[[]any](), reflect.TypeFor[[2]int](),
			reflect.TypeFor[time.Time](), reflect.TypeFor[time.Duration](), reflect.TypeFor[url.URL](), reflect.TypeFor[struct{ A int }](),
			reflect.TypeFor[kinds.Object](), reflect.TypeFor[chan int](), reflect.TypeFor[complex128](), reflect.TypeFor[func()](),
		},
	} {
		for _, typ := range types {
			if got := formOf(typ, home); got != want {
				t.Errorf("%v has form %d, want %d", typ, got, want)
			}
		}
	}
}

// TestPlain tells the structs that can be read member by member from those for which
// encoding/json has rules of its own.
func TestPlain(t *testing.T) {
	for tag, want := range map[string]string{
		`json:"a"`:           "a",
		`json:"_a-1.b"`:      "_a-1.b",
		`json:"a,omitempty"`: "a",
		`json:",omitzero"`:   "Field",
		``:                   "Field",
		`json:"-,"`:          "-",
		`json:"-"`:           "nothing",
		`json:"a,string"`:    "",
		`json:"größe"`:       "",
		`json:"a b"`:         "",
		`json:"a\"b"`:        "",
		`json:"same"`:        "", // as Other
	} {
		members, plain := membersOf(reflect.StructOf([]reflect.StructField{
			{Name: "Field", Type: reflect.TypeFor[int](), Tag: reflect.StructTag(tag)},
			{Name: "Other", Type: reflect.TypeFor[int](), Tag: `json:"same"`},
		}))
		got := ""
		if plain {
			got = "nothing"
		}
		for _, m := range members {
			if m.field.Name == "Field" {
				got = m.name
			}
		}
		if !plain {
			got = ""
		}
		if got != want {
			t.Errorf("%s: %q, want %q", tag, got, want)
		}
	}
	if _, plain := membersOf(reflect.TypeFor[kinds.Embedded]()); plain {
		t.Error("an embedded struct passes for plain")
	}
}

// TestOddRoot is left to encoding/json as a whole, and written all the same.
func TestOddRoot(t *testing.T) {
	source, err := decoderOf(reflect.TypeFor[kinds.Embedded]())
	if err != nil {
		t.Fatal(err)
	}
	const want = "func readEmbedded(d *decoder, at *kinds.Embedded, _ *partsOfEmbedded) {\n\tother(d, at)\n}\n"
	if !strings.HasSuffix(string(source), want) {
		t.Errorf("wrote\n%s\nwhich does not end with\n%s", source, want)
	}
}

func TestRunRefuses(t *testing.T) {
	for want, args := range map[string][]string{
		"two arguments": {"gen"},
		"no types":      {"types", "file.go"},
		"no such file":  {"gen", filepath.Join(t.TempDir(), "none", "file.go")},
	} {
		if err := run(args); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want an error with %q", args, err, want)
		}
	}
}
