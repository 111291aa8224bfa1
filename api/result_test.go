package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/gen"
	"github.com/unsend-go/unsend/internal/spec"
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

// unsent is the result of a call whose response has body.
func unsent(t testing.TB, body string) *api.Result {
	t.Helper()
	result, err := unsend(t.Context(), t, newClient(t, respond(t, http.StatusOK, nil, body)))
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// TestSnapshotsTravelWhole sends the documented body, which has every member of the contract, from
// a server to the client and through Queue, and writes it again.
func TestSnapshotsTravelWhole(t *testing.T) {
	body := snapshot(t, "documented.json")
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
	text, err := json.Marshal(map[string]any{"success": true, "queue": queue})
	if err != nil {
		t.Fatal(err)
	}
	var sent, written any
	if err := json.Unmarshal(body, &sent); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &written); err != nil || !within(sent, written) {
		t.Errorf("the snapshot is written as %s (%v); want all of %s", text, err, body)
	}
}

// within reports whether all that a JSON value has is in another, which may have more members. What
// openapi.yaml does not name stays in Raw.
func within(part, whole any) bool {
	switch part := part.(type) {
	case map[string]any:
		object, _ := whole.(map[string]any)
		for name, member := range part {
			if named := regexp.MustCompile(`\b` + name + `'?:`).Match(spec.Document); named && !within(member, object[name]) {
				return false
			}
		}
		return object != nil
	case []any:
		list, _ := whole.([]any)
		return slices.EqualFunc(part, list, within)
	}
	return part == whole
}

func TestNoQueueIsNoError(t *testing.T) {
	for _, body := range []string{`{"success":true}`, `{"success":true,"queue":null}`, "{\"success\":true}\n"} {
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

// TestDriftedSnapshots has bodies that violate the contract. The error names every place, and the
// rest is read (X13).
func TestDriftedSnapshots(t *testing.T) {
	const whole, cut = " is not a whole number of 64 bits", "the response breaks off at "
	const eof, none = ": unexpected EOF", ": the rest is no JSON"
	two, deep := []gen.Media{{ID: 2}, {}}, &gen.Queue{Media: []gen.Media{{}}}
	for name, c := range map[string]struct {
		body string // behind {"success":true,"queue":
		text string // of the error, behind "decode queue: "
		want *gen.Queue
	}{
		"id as text":         {`{"id":"1","text":"x"}}`, "queue.id" + whole, &gen.Queue{Text: "x"}},
		"a fraction":         {`{"id":1,"mediaCount":1.5}}`, "queue.mediaCount" + whole, &gen.Queue{ID: 1}},
		"a flag as text":     {`{"isFree":"yes","id":1}}`, "queue.isFree is not true or false", &gen.Queue{ID: 1}},
		"several":            {`{"text":7,"id":1,"isTip":0}}`, "queue.text is not a string; queue.isTip is not true or false", &gen.Queue{ID: 1}},
		"deep":               {`{"media":[{"id":2},{"id":"3"}]}}`, "queue.media.1.id" + whole, &gen.Queue{Media: two}},
		"deeper":             {`{"media":[{"files":{"full":{"url":7}}}]}}`, "queue.media.0.files.full.url is not a string", deep},
		"in a list":          {`{"previews":[7,"8",9]}}`, "queue.previews.1" + whole, &gen.Queue{Previews: []int64{7, 0, 9}}},
		"media as an object": {`{"media":{},"id":1}}`, "queue.media is not a list", &gen.Queue{ID: 1}},
		"price as an object": {`{"id":1,"price":{}}}`, "queue.price is not a string or a number", &gen.Queue{ID: 1}},
		"then drifted":       {`{"id":1,"text":"x","text":7}}`, "queue.text is not a string", &gen.Queue{ID: 1}},
		"an endless number":  {`{"text":"x","id":` + strings.Repeat("9", 100_000) + `}}`, "queue.id" + whole, &gen.Queue{Text: "x"}},
		"a number that Go cannot hold": {
			`{"id":1,"releaseForms":{"a\nb\u001b[2J` + strings.Repeat("c", 1000) + `":1e400}}}`,
			"queue.releaseForms is not a value that Go can hold", &gen.Queue{ID: 1},
		},
		"a text as the queue":       {`"gone"}`, "queue is not an object", nil},
		"a second value behind":     {`{"text":"x"}}{"success":true}`, "the response continues behind its end", &gen.Queue{Text: "x"}},
		"nonsense inside":           {`{"id":1,"text":nope}}`, cut + "queue.id" + none, &gen.Queue{ID: 1}},
		"a text that ends early":    {`{"id":1,"text":"said "secret":1}}`, cut + "queue.text" + none, &gen.Queue{ID: 1, Text: "said "}},
		"cut below another's name":  {`{"id":1,"secret words":{"more":[1`, cut + "queue.id" + eof, &gen.Queue{ID: 1}},
		"cut, and drifted before":   {`{"isTip":1,"id":1,"te`, "queue.isTip is not true or false; " + cut + "queue.id" + eof, &gen.Queue{ID: 1}},
		"cut behind a text":         {`{"id":1,"text":"x"`, cut + "queue.text" + eof, &gen.Queue{ID: 1, Text: "x"}},
		"cut in a list":             {`{"media":[{"id":2},{"type":"pho`, cut + "queue.media.0.id" + eof, &gen.Queue{Media: two[:1]}},
		"cut at its value":          {"", cut + "its start" + eof, nil},
		"cut in a number":           {`{"text":"x","id":64324`, cut + "queue.text" + eof, &gen.Queue{Text: "x"}},
		"cut in a number of a list": {`{"previews":[11,22`, cut + "queue.previews.0" + eof, &gen.Queue{Previews: []int64{11}}},
	} {
		t.Run(name, func(t *testing.T) {
			queue, err := unsent(t, `{"success":true,"queue":`+c.body).Queue()
			if err == nil || err.Error() != "decode queue: "+c.text {
				t.Errorf("the error is %q, want %q", err, c.text)
			}
			if !reflect.DeepEqual(queue, c.want) {
				t.Errorf("the queue is %+v, want %+v", queue, c.want)
			}
		})
	}
}

// TestToleratedSnapshots has what JSON forbids, or a stricter reader refuses, and Queue reads without
// an error.
func TestToleratedSnapshots(t *testing.T) {
	nulls := `{"id":1,"text":null,"fromUser":null,"media":null,"isFree":null,"mediaCount":null,"price":null,"releaseForms":null}`
	for name, c := range map[string]struct {
		queue string
		want  gen.Queue
	}{
		"nulls":                 {nulls, gen.Queue{ID: 1}},
		"empty lists":           {`{"media":[],"previews":[]}`, gen.Queue{Media: []gen.Media{}, Previews: []int64{}}},
		"half an emoji":         {`{"textCropped":"bye \ud83d"}`, gen.Queue{TextCropped: "bye \ufffd"}},
		"bytes of no UTF-8":     {"{\"text\":\"a\xffb\"}", gen.Queue{Text: "a\ufffdb"}},
		"names of another case": {`{"id":1,"ID":2,"Text":"x"}`, gen.Queue{ID: 1}},
		"a member twice":        {`{"id":1,"text":"a","text":"b"}`, gen.Queue{ID: 1, Text: "b"}},
		"drifted, then not":     {`{"fromUser":{"id":2,"name":"a"},"fromUser":{"_view":"b"}}`, gen.Queue{FromUser: gen.Sender{View: "b"}}},
		"a list twice":          {`{"media":[{"id":2},{"id":3}],"media":[{"duration":4}]}`, gen.Queue{Media: []gen.Media{{Duration: 4}}}},
		"the snapshot twice":    {`{"id":1,"text":"a"},"queue":{"id":2}`, gen.Queue{ID: 2}},
		"a new kind of media":   {`{"media":[{"type":"hologram"}]}`, gen.Queue{Media: []gen.Media{{Type: "hologram"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			queue, err := unsent(t, `{"success":true,"queue":`+c.queue+`}`).Queue()
			if err != nil || !reflect.DeepEqual(queue, &c.want) {
				t.Errorf("Queue gives %+v, %v; want %+v", queue, err, c.want)
			}
		})
	}
}

// checkQueueError requires one line that is not long.
func checkQueueError(t testing.TB, err error) {
	t.Helper()
	text := err.Error()
	if len(text) > 1500 || !utf8.ValidString(text) || strings.IndexFunc(text, unprintable) >= 0 {
		t.Errorf("an error of %d bytes: %.2000q", len(text), text)
	}
}
