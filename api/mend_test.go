package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/gen"
)

func TestDriftedSnapshots(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		at   string                  // what the error must name
		kept func(q *gen.Queue) bool // what must be there all the same
	}{
		"id as text": {
			`{"success":true,"queue":{"id":"1","text":"x"}}`, "queue.id",
			func(q *gen.Queue) bool { return q != nil && q.ID == 0 && q.Text != nil && *q.Text == "x" },
		},
		"id past 64 bits": {
			`{"success":true,"queue":{"id":18446744073709551616,"text":"x"}}`, "queue.id",
			func(q *gen.Queue) bool { return q != nil && q.Text != nil && *q.Text == "x" },
		},
		"a flag as text": {
			`{"success":true,"queue":{"isFree":"yes","id":1}}`, "queue.isFree",
			func(q *gen.Queue) bool { return q != nil && q.ID == 1 && q.IsFree == nil || q.ID == 1 && !*q.IsFree },
		},
		"deep inside": {
			`{"success":true,"queue":{"id":1,"media":[{"id":2},{"id":"3","files":{"full":{"url":7}}}],"text":"x"}}`, "queue.media.", // Go 1.27 names the index too
			func(q *gen.Queue) bool {
				return q.ID == 1 && *q.Text == "x" && len(q.Media) == 2 && *q.Media[0].ID == 2
			},
		},
		"media as an object": {
			`{"success":true,"queue":{"media":{},"id":1}}`, "queue.media",
			func(q *gen.Queue) bool { return q.ID == 1 && q.Media == nil },
		},
		"an endless number": {
			`{"success":true,"queue":{"text":"x","id":` + strings.Repeat("9", 100_000) + `}}`, "queue.id is a JSON number 999",
			func(q *gen.Queue) bool { return q.ID == 0 && *q.Text == "x" },
		},
		"a name of lines": { // which Go 1.27 quotes
			`{"success":true,"queue":{"id":1,"releaseForms":{"a\nb\u001b[2J` + strings.Repeat("c", 1000) + `":1e400}}}`, "queue.releaseForms",
			func(q *gen.Queue) bool { return q.ID == 1 },
		},
		"a text as the queue":   {`{"success":true,"queue":"gone"}`, "queue", func(*gen.Queue) bool { return true }},
		"an array as the queue": {`{"success":true,"queue":[1]}`, "queue", func(*gen.Queue) bool { return true }},
		"a number as the queue": {`{"queue":1,"success":true}`, "queue", func(*gen.Queue) bool { return true }},
		"a second value behind": {
			`{"success":true,"queue":{"id":1,"text":"x"}}{"success":true}`, "behind its end",
			func(q *gen.Queue) bool { return q != nil && q.ID == 1 && *q.Text == "x" },
		},
		"nonsense behind": {
			`{"success":true,"queue":{"id":1,"text":"x"}}</html>`, "behind its end",
			func(q *gen.Queue) bool { return q != nil && q.ID == 1 && *q.Text == "x" },
		},
		"nonsense inside": {
			`{"success":true,"queue":{"id":1,"text":nope}}`, "queue.text",
			func(q *gen.Queue) bool { return q != nil && q.ID == 1 && q.Text == nil },
		},
		"cut, and drifted before": {
			`{"success":true,"queue":{"isFree":1,"id":1,"media":[{"id":2},{"id":3,"type":"pho`, "queue.media.1.type",
			func(q *gen.Queue) bool { return q != nil && q.ID == 1 && len(q.Media) == 2 && *q.Media[1].ID == 3 },
		},
		"cut in the name": {
			`{"success":true,"queue":{"id":1,"te`, "queue",
			func(q *gen.Queue) bool { return q != nil && q.ID == 1 },
		},
		"cut before the queue": {`{"success":true,"queu`, "", func(q *gen.Queue) bool { return q == nil }},
		"cut at its value":     {`{"success":true,"queue":`, "queue", func(q *gen.Queue) bool { return q == nil }},
		"cut inside a number": {
			`{"success":true,"queue":{"text":"x","id":64324`, "queue.id",
			func(q *gen.Queue) bool { return q != nil && q.ID == 0 && *q.Text == "x" },
		},
		"cut inside a number of a list": {
			`{"success":true,"queue":{"id":1,"previews":[11,22`, "queue.previews.0",
			func(q *gen.Queue) bool { return q.ID == 1 && reflect.DeepEqual(q.Previews, []int64{11}) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			result := unsent(t, c.body)
			queue, err := result.Queue()
			if err == nil || !strings.Contains(err.Error(), c.at) {
				t.Fatalf("want an error that says %q, got %v", c.at, err)
			}
			checkErrorText(t, err)
			if !c.kept(queue) {
				t.Errorf("what is left is %+v", queue)
			}
		})
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
		if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "decode queue: the answer breaks off at ") {
			t.Fatalf("%d bytes: %v", cut, err)
		}
		left := queueMembers(t, queue)
		for place, value := range left {
			if !reflect.DeepEqual(full[place], value) && place != ".id" {
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

// TestHostileSnapshots has bodies made to cost time and memory.
func TestHostileSnapshots(t *testing.T) {
	for name, body := range map[string]string{
		"deep arrays":     `{"success":true,"queue":` + strings.Repeat("[", 1<<20),
		"deep objects":    `{"success":true,"queue":` + strings.Repeat(`{"a":`, 1<<18),
		"deep and closed": `{"success":true,"queue":` + strings.Repeat("[", 1<<18) + strings.Repeat("]", 1<<18) + "}",
		"wide":            `{"success":true,"queue":{"previews":[` + strings.Repeat("1,", 1<<18),
		"long names":      `{"success":true,"` + strings.Repeat("n", 4<<20) + `":{"` + strings.Repeat("m", 2<<20) + `":[`,
	} {
		t.Run(name, func(t *testing.T) {
			result := unsent(t, body)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := result.Queue()
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Fatal("no error")
			}
			checkErrorText(t, err)
			if used := after.TotalAlloc - before.TotalAlloc; used > 150*uint64(len(body))+64<<20 {
				t.Errorf("%d MiB were allocated for a body of %d MiB", used>>20, len(body)>>20)
			}
		})
	}
}
