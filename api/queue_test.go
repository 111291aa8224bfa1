package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/gen"
	"github.com/unsend-go/unsend/mock"
)

// snapshot is a body of the project's test data.
func snapshot(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile("../contract/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// unsent is the result of a call that is answered with body.
func unsent(t testing.TB, body string) *api.Result {
	t.Helper()
	result, err := unsend(t.Context(), t, newClient(t, answer(t, http.StatusOK, nil, body)))
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// members are all values of a JSON text but for nulls, by their place, such as
// ".media[0].id".
func members(t testing.TB, text []byte) map[string]any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		t.Fatalf("%v in %.200s", err, text)
	}
	found := map[string]any{}
	walk(found, "", value)
	return found
}

func walk(found map[string]any, at string, value any) {
	switch v := value.(type) {
	case nil:
	case map[string]any:
		found[at] = "an object"
		for name, member := range v {
			walk(found, at+"."+name, member)
		}
	case []any:
		found[at] = "an array"
		for i, element := range v {
			walk(found, fmt.Sprintf("%s[%d]", at, i), element)
		}
	default:
		found[at] = v
	}
}

// contracted says whether the contract has a member at a place.
func contracted(t testing.TB) func(place string) bool {
	t.Helper()
	paths := map[string]bool{"": true}
	for line := range strings.Lines(string(snapshot(t, "fields.tsv"))) {
		path, _, _ := strings.Cut(line, "\t")
		if path, ok := strings.CutPrefix(path, "queue."); ok {
			paths["."+path] = true
		}
	}
	if len(paths) < 100 {
		t.Fatalf("only %d members are known", len(paths))
	}
	index := regexp.MustCompile(`\[\d+\]`)
	return func(place string) bool {
		path := index.ReplaceAllString(place, "[]")
		// The queue's releaseForms are any value, all of which is the contract's.
		return paths[path] || paths[strings.TrimSuffix(path, "[]")] || strings.HasPrefix(path, ".releaseForms")
	}
}

// zero reports whether a member has the value that one that was absent or null is written with.
func zero(value any) bool {
	return value == "" || value == false || value == json.Number("0") || value == "an object"
}

// TestSnapshotsTravelWhole sends a body from a server to the client and through Queue, and
// writes it again: no member of the contract may be lost.
func TestSnapshotsTravelWhole(t *testing.T) {
	inContract := contracted(t)
	for _, name := range []string{"documented.json", "wire.json"} {
		t.Run(name, func(t *testing.T) {
			body := snapshot(t, name)
			server := newMock()
			server.Next(mock.Fault{Body: string(body)})
			result, err := unsend(t.Context(), t, mockClient(t, server))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(result.Raw, body) {
				t.Error("Raw is not the body as sent")
			}
			queue, err := result.Queue()
			if err != nil {
				t.Fatal(err)
			}
			written, err := json.Marshal(queue)
			if err != nil {
				t.Fatal(err)
			}
			var sent struct{ Queue json.RawMessage }
			if err := json.Unmarshal(body, &sent); err != nil {
				t.Fatal(err)
			}
			before, after := members(t, sent.Queue), members(t, written)
			kept := 0
			for place, value := range before {
				if !inContract(place) {
					continue // an added member, which stays in Raw
				}
				kept++
				if !reflect.DeepEqual(after[place], value) {
					t.Errorf("%s was %v, and is %v", place, value, after[place])
				}
			}
			for place, value := range after {
				if _, ok := before[place]; !ok && !zero(value) {
					t.Errorf("%s was not there before, and is %v", place, value)
				}
			}
			if kept < 50 {
				t.Errorf("only %d members were compared", kept)
			}
		})
	}
}

func TestQueueIsDecodedAnew(t *testing.T) {
	result := unsent(t, `{"success":true,"queue":{"id":1,"media":[{"id":2}]}}`)
	first, err := result.Queue()
	if err != nil {
		t.Fatal(err)
	}
	first.ID, first.Media[0].ID = 0, 0
	second, err := result.Queue()
	if err != nil || second.ID != 1 || second.Media[0].ID != 2 {
		t.Errorf("a second look gave %+v, %v", second, err)
	}
}

func TestNoQueueIsNoError(t *testing.T) {
	for _, body := range []string{`{"success":true}`, `{"success":true,"queue":null}`, `{"queue":null,"success":true}`, "{\"success\":true}\n"} {
		if queue, err := unsent(t, body).Queue(); queue != nil || err != nil {
			t.Errorf("%s: %v, %v", body, queue, err)
		}
	}
	for name, result := range map[string]*api.Result{
		"nil": nil, "zero": {}, "already gone": {Outcome: api.AlreadyGone, Raw: []byte(`{"error":"x","queue":{"id":1}}`)},
	} {
		if queue, err := result.Queue(); queue != nil || err != nil {
			t.Errorf("%s: %v, %v", name, queue, err)
		}
	}
}

// FuzzQueue has any body whose success was read, whole and cut. What comes of it can be written
// as JSON again and reads the same, and is the same whether it is decoded at once or by parts.
func FuzzQueue(f *testing.F) {
	for _, body := range odd() {
		f.Add([]byte(body))
	}
	for _, name := range []string{"documented.json", "wire.json"} {
		var compact bytes.Buffer
		if err := json.Compact(&compact, snapshot(f, name)); err != nil {
			f.Fatal(err)
		}
		f.Add(compact.Bytes())
		f.Add(compact.Bytes()[:compact.Len()/2])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		result := &api.Result{Outcome: api.Unsent, Raw: body}
		queue, err := result.Queue()
		if err != nil {
			checkQueueError(t, err)
		}
		written, failed := json.Marshal(gen.UnsendResponse{Queue: queue})
		if failed != nil {
			t.Fatalf("%q gives a queue that is no JSON: %v", body, failed)
		}
		again := api.Result{Outcome: api.Unsent, Raw: written}
		if same, err := again.Queue(); err != nil || !reflect.DeepEqual(same, queue) {
			t.Fatalf("%q gives %+v, and that written and read again %+v, %v", body, queue, same, err)
		}
		parts, failed := api.QueueByParts(body)
		if !reflect.DeepEqual(parts, queue) || (failed == nil) != (err == nil) {
			t.Fatalf("%q: Queue gives %+v, %v, and by parts %+v, %v", body, queue, err, parts, failed)
		}
		if !bytes.Equal(result.Raw, body) {
			t.Fatal("Queue changed Raw")
		}
	})
}
