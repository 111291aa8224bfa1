package snapshot

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/unsend-go/unsend/internal/snapshot/kinds"
)

// FuzzDecode holds Decode to its word: where it is certain, encoding/json returns the same.
func FuzzDecode(f *testing.F) {
	f.Add(testdata(f, "documented.json"))
	f.Add(testdata(f, "wire.json"))
	f.Add([]byte(`{"success":true,"queue":{"id":6432457811894,"price":19.99,"releaseForms":[{}],"giphyId":null}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, ok := Decode(raw)
		if !ok {
			return
		}
		var want answer
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatalf("decoded %.500q, to which encoding/json says %v", raw, err)
		}
		if !reflect.DeepEqual(got, want.Queue) {
			t.Errorf("%.500q becomes something else: %s", raw, difference(got, want.Queue))
		}
	})
}

// FuzzMember reaches what FuzzDecode has a hard time finding: any bytes in the place of a
// value deep within the documented example.
func FuzzMember(f *testing.F) {
	raw := testdata(f, "documented.json")
	all := places(f, raw)
	for i, value := range values() {
		f.Add(uint(i), []byte(value))
	}
	f.Fuzz(func(t *testing.T, i uint, value []byte) {
		compareAnswer(t, splice(raw, all[i%uint(len(all))], string(value)))
	})
}

// FuzzKinds does the same for types that no contract has yet.
func FuzzKinds(f *testing.F) {
	fields := reflect.TypeFor[kinds.Everything]()
	for i, value := range values() {
		f.Add(fmt.Appendf(nil, `{%q:%s}`, fields.Field(i).Name, value))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		compare(t, raw, readEverything)
	})
}
