package snapshot

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/gen"
	"github.com/unsend-go/unsend/internal/snapshot/kinds"
)

func TestBodiesAreDecoded(t *testing.T) {
	for name, raw := range bodies(t) {
		if decoded, _ := compareAnswer(t, raw); !decoded {
			t.Errorf("%s: declined", name)
		}
	}
}

// TestEveryMember puts each value in the place of each value of a body: what encoding/json
// decodes is decoded, what it refuses is declined.
func TestEveryMember(t *testing.T) {
	for _, body := range []string{"documented.json", "wire.json"} {
		raw := testdata(t, body)
		for _, place := range places(t, raw) {
			for _, value := range values() {
				edited := splice(raw, place, value)
				if decoded, right := compareAnswer(t, edited); decoded != right {
					t.Errorf("%s with %s at %d: decoded %v, want %v", body, value, place[0], decoded, right)
				}
			}
		}
	}
}

// TestEveryKind does for types that no contract has yet what TestEveryMember does for those
// of today's.
func TestEveryKind(t *testing.T) {
	for field := range reflect.TypeFor[kinds.Everything]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" {
			name = field.Name
		}
		for _, form := range []string{`{%q:%s}`, `{"Parent":{"Children":[{%q:%s}]}}`, `{"Sibling":{"back":{%q:%s}}}`} {
			for _, value := range values() {
				raw := fmt.Appendf(nil, form, name, value)
				if decoded, right := compare(t, raw, readEverything); decoded != right {
					t.Errorf("%s: decoded %v, want %v", raw, decoded, right)
				}
			}
		}
	}
}

func TestEveryMemberMissing(t *testing.T) {
	raw := testdata(t, "documented.json")
	for _, quote := range names(t, raw) {
		renamed := slices.Insert(bytes.Clone(raw), quote+1, '~')
		if decoded, _ := compareAnswer(t, renamed); !decoded {
			t.Errorf("declined without the member at %d", quote)
		}
	}
}

// TestEveryMemberTwice sends each member twice, and in capitals: encoding/json takes both, in
// ways of its own.
func TestEveryMemberTwice(t *testing.T) {
	raw := testdata(t, "documented.json")
	for _, quote := range names(t, raw) {
		name := string(raw[quote:valueAt(t, raw, quote)[1]])
		if name == `"success"` { // nobody reads it here
			continue
		}
		twice := slices.Insert(bytes.Clone(raw), quote, []byte(name+":null,")...)
		if decoded, _ := compareAnswer(t, twice); decoded {
			t.Errorf("decoded %s twice", name)
		}
		if upper := strings.ToUpper(name); upper != name {
			if decoded, _ := compareAnswer(t, bytes.ReplaceAll(raw, []byte(name), []byte(upper))); decoded {
				t.Errorf("decoded %s", upper)
			}
		}
	}
}

func TestCutShort(t *testing.T) {
	raw := bytes.TrimSpace(testdata(t, "wire.json"))
	for end := range raw {
		if _, decoded := Decode(raw[:end]); decoded {
			t.Errorf("decoded what breaks off after %d bytes", end)
		}
	}
}

// TestNothingIsShared changes a queue, and the bytes that another was decoded from.
func TestNothingIsShared(t *testing.T) {
	raw := testdata(t, "wire.json")
	want, _ := Decode(raw)
	changed, _ := Decode(raw)
	got, _ := Decode(raw)
	clear(raw)
	*changed.Text = "changed"
	*changed.IsFree = !*changed.IsFree
	*changed.Media[1].ID++
	changed.Media[0] = gen.Media{}
	changed.Previews = append(changed.Previews, 1)
	changed.Media[1].Files.Full.Sources = append(changed.Media[1].Files.Full.Sources, gen.Rendition{})
	if err := changed.Price.FromPriceNumber(7); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("a queue changed with another: %s", difference(got, want))
	}
	if fresh, _ := Decode(testdata(t, "wire.json")); !reflect.DeepEqual(got, fresh) {
		t.Errorf("a queue changed with its bytes: %s", difference(got, fresh))
	}
}

// vandal takes note of what it reads, and spoils it.
type vandal struct{ read string }

func (v *vandal) UnmarshalJSON(raw []byte) error {
	v.read = string(raw)
	clear(raw)
	return nil
}

func TestCustomReadsItsOwnBytes(t *testing.T) {
	for raw, want := range map[string]string{`{"a": [1]} `: `{"a": [1]}`, `null`: `null`, `{"a": [}`: "", ``: ""} {
		var got vandal
		d := decoder{raw: []byte(raw)}
		if custom(&d, &got); got.read != want {
			t.Errorf("of %q it was handed %q, want %q", raw, got.read, want)
		}
		if string(d.raw) != raw {
			t.Errorf("%q became %q", raw, d.raw)
		}
	}
}
