package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/gen"
)

// TestDriftedSnapshots has bodies that depart from the contract. The error names every place,
// and what is sound is read.
func TestDriftedSnapshots(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		says string // what the error is, behind "decode queue: "
		want *gen.Queue
	}{
		"id as text": {
			body: `{"success":true,"queue":{"id":"1","text":"x"}}`,
			says: "queue.id is not a whole number of 64 bits",
			want: &gen.Queue{Text: "x"},
		},
		"a fraction": {
			body: `{"success":true,"queue":{"id":1,"mediaCount":1.5}}`,
			says: "queue.mediaCount is not a whole number of 64 bits",
			want: &gen.Queue{ID: 1},
		},
		"a flag as text": {
			body: `{"success":true,"queue":{"isFree":"yes","id":1}}`,
			says: "queue.isFree is not true or false",
			want: &gen.Queue{ID: 1},
		},
		"several, some of them deep": {
			body: `{"success":true,"queue":{"id":1,"media":[{"id":2},{"id":"3","files":{"full":{"url":7}}}],"text":"x","isTip":0}}`,
			says: "queue.media.1.id is not a whole number of 64 bits; queue.media.1.files.full.url is not a string; queue.isTip is not true or false",
			want: &gen.Queue{ID: 1, Text: "x", Media: []gen.Media{{ID: 2}, {}}},
		},
		"an element of a list": {
			body: `{"success":true,"queue":{"id":1,"previews":[7,"8",9]}}`,
			says: "queue.previews.1 is not a whole number of 64 bits",
			want: &gen.Queue{ID: 1, Previews: []int64{7, 0, 9}},
		},
		"media as an object": {
			body: `{"success":true,"queue":{"media":{},"id":1}}`,
			says: "queue.media is not a list",
			want: &gen.Queue{ID: 1},
		},
		"price as an object": {
			body: `{"success":true,"queue":{"id":1,"price":{}}}`,
			says: "queue.price is not a string or a number",
			want: &gen.Queue{ID: 1},
		},
		"sound, then drifted": {
			body: `{"success":true,"queue":{"id":1,"text":"x","text":7}}`,
			says: "queue.text is not a string",
			want: &gen.Queue{ID: 1},
		},
		"an endless number": {
			body: `{"success":true,"queue":{"text":"x","id":` + strings.Repeat("9", 100_000) + `}}`,
			says: "queue.id is not a whole number of 64 bits",
			want: &gen.Queue{Text: "x"},
		},
		"a number that Go cannot hold": {
			body: `{"success":true,"queue":{"id":1,"releaseForms":{"a\nb\u001b[2J` + strings.Repeat("c", 1000) + `":1e400}}}`,
			says: "queue.releaseForms is not a value that Go can hold",
			want: &gen.Queue{ID: 1},
		},
		"a text as the queue": {
			body: `{"success":true,"queue":"gone"}`,
			says: "queue is not an object",
		},
		"a second value behind": {
			body: `{"success":true,"queue":{"id":1,"text":"x"}}{"success":true}`,
			says: "the response continues behind its end",
			want: &gen.Queue{ID: 1, Text: "x"},
		},
		"nonsense inside": {
			body: `{"success":true,"queue":{"id":1,"text":nope}}`,
			says: "the response breaks off at queue.id: the rest is no JSON",
			want: &gen.Queue{ID: 1},
		},
		"a text that ends early": {
			body: `{"success":true,"queue":{"id":1,"text":"she said "secret words":1}}`,
			says: "the response breaks off at queue.text: the rest is no JSON",
			want: &gen.Queue{ID: 1, Text: "she said "},
		},
		"cut below a name from outside": {
			body: `{"success":true,"queue":{"id":1,"secret words":{"more":[1`,
			says: "the response breaks off at queue.id: unexpected EOF",
			want: &gen.Queue{ID: 1},
		},
		"cut, and drifted before": {
			body: `{"success":true,"queue":{"isFree":1,"id":1,"media":[{"id":2},{"id":3,"type":"pho`,
			says: "queue.isFree is not true or false; the response breaks off at queue.media.1.id: unexpected EOF",
			want: &gen.Queue{ID: 1, Media: []gen.Media{{ID: 2}, {ID: 3}}},
		},
		"cut at its value": {
			body: `{"success":true,"queue":`,
			says: "the response breaks off at its start: unexpected EOF",
		},
		"cut inside a number": {
			body: `{"success":true,"queue":{"text":"x","id":64324`,
			says: "the response breaks off at queue.text: unexpected EOF",
			want: &gen.Queue{Text: "x"},
		},
		"cut inside a number of a list": {
			body: `{"success":true,"queue":{"id":1,"previews":[11,22`,
			says: "the response breaks off at queue.previews.0: unexpected EOF",
			want: &gen.Queue{ID: 1, Previews: []int64{11}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			queue, err := unsent(t, c.body).Queue()
			if err == nil || err.Error() != "decode queue: "+c.says {
				t.Errorf("the error is %q, want %q", err, c.says)
			}
			if !reflect.DeepEqual(queue, c.want) {
				t.Errorf("what is left is %+v, want %+v", queue, c.want)
			}
		})
	}
}

// TestToleratedSnapshots has what JSON forbids, or what a stricter reader refuses, and Queue
// takes without a word.
func TestToleratedSnapshots(t *testing.T) {
	for name, c := range map[string]struct {
		queue string
		want  *gen.Queue
	}{
		"nulls": {
			queue: `{"id":1,"text":null,"fromUser":null,"media":null,"isFree":null,"mediaCount":null,"price":null,"releaseForms":null}`,
			want:  &gen.Queue{ID: 1},
		},
		"empty lists": {
			queue: `{"id":1,"media":[],"previews":[]}`,
			want:  &gen.Queue{ID: 1, Media: []gen.Media{}, Previews: []int64{}},
		},
		"half an emoji":     {queue: `{"id":1,"textCropped":"bye \ud83d"}`, want: &gen.Queue{ID: 1, TextCropped: "bye \ufffd"}},
		"bytes of no UTF-8": {queue: "{\"id\":1,\"text\":\"a\xffb\"}", want: &gen.Queue{ID: 1, Text: "a\ufffdb"}},
		"names of another case": {
			queue: `{"id":1,"ID":2,"Text":"x"}`,
			want:  &gen.Queue{ID: 1},
		},
		"a member twice":    {queue: `{"id":1,"text":"a","text":"b"}`, want: &gen.Queue{ID: 1, Text: "b"}},
		"drifted, then not": {queue: `{"id":1,"fromUser":{"id":2,"name":"a"},"fromUser":{"_view":"b"}}`, want: &gen.Queue{ID: 1, FromUser: gen.Sender{View: "b"}}},
		"a list twice": {
			queue: `{"id":1,"media":[{"id":2},{"id":3}],"media":[{"duration":4}]}`,
			want:  &gen.Queue{ID: 1, Media: []gen.Media{{Duration: 4}}},
		},
		"the snapshot twice": {queue: `{"id":1,"text":"a"},"queue":{"id":2}`, want: &gen.Queue{ID: 2}},
		"a kind of media that is new": {
			queue: `{"id":1,"media":[{"type":"hologram"}]}`,
			want:  &gen.Queue{ID: 1, Media: []gen.Media{{Type: "hologram"}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			queue, err := unsent(t, `{"success":true,"queue":`+c.queue+`}`).Queue()
			if err != nil || !reflect.DeepEqual(queue, c.want) {
				t.Errorf("Queue gives %+v, %v; want %+v", queue, err, c.want)
			}
		})
	}
}

// checkQueueError is what every error of Queue keeps to: one line, and not a long one.
func checkQueueError(t testing.TB, err error) {
	t.Helper()
	text := err.Error()
	if len(text) > 1500 || !utf8.ValidString(text) || strings.IndexFunc(text, unprintable) >= 0 {
		t.Errorf("an error of %d bytes: %.2000q", len(text), text)
	}
}

// TestCutSnapshots cuts a body at every byte behind success. What is left may lack members,
// but none may have another value than it had.
func TestCutSnapshots(t *testing.T) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, snapshot(t, "wire.json")); err != nil {
		t.Fatal(err)
	}
	body := compact.String()
	whole, err := unsent(t, body).Queue()
	if err != nil {
		t.Fatal(err)
	}
	full := queueMembers(t, whole)
	broken := errors.New("broken off")
	last := 0
	for cut := len(`{"success":true`); cut < len(body); cut++ {
		client := newClient(t, roundTrip(func(req *http.Request) (*http.Response, error) {
			return newResponse(req, http.StatusOK, nil, io.MultiReader(strings.NewReader(body[:cut]), iotest.ErrReader(broken))), nil
		}), api.WithoutRateLimit())
		result, err := client.Unsend(t.Context(), userID, messageID)
		if err != nil {
			t.Fatal(err)
		}
		queue, err := result.Queue()
		if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "decode queue: the response breaks off at ") || !strings.HasSuffix(err.Error(), ": broken off") {
			t.Fatalf("%d bytes: %v", cut, err)
		}
		left := queueMembers(t, queue)
		for place, value := range left {
			if !reflect.DeepEqual(full[place], value) && !zero(value) {
				t.Fatalf("%d bytes: %s is %v, and was %v", cut, place, value, full[place])
			}
		}
		if len(left) < last {
			t.Fatalf("%d bytes: %d members are left, of %d before", cut, len(left), last)
		}
		last = len(left)
	}
	if last < len(full)-1 {
		t.Errorf("%d members are left of %d, with the last byte missing", last, len(full))
	}
}

func queueMembers(t *testing.T, queue *gen.Queue) map[string]any {
	t.Helper()
	text, err := json.Marshal(queue)
	if err != nil {
		t.Fatal(err)
	}
	return members(t, text)
}
