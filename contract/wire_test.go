package contract_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// departures says, for each line of testdata/fields.tsv with something seen on the wire, where
// testdata/wire.json has it. What one body cannot hold at once is edited into it below.
var departures = map[string]func(at func(path string) any) bool{
	"queue.id":             func(at func(string) any) bool { return at("queue/id") == 6432457811894.0 },
	"queue.text":           func(at func(string) any) bool { return strings.HasPrefix(fmt.Sprint(at("queue/text")), "<p>Grüße") },
	"queue.fromUser":       func(at func(string) any) bool { return size(at("queue/fromUser")) > 5 },
	"queue.media[].id":     func(at func(string) any) bool { return at("queue/media/0/id") == 3950387999.0 },
	"queue.media[].type":   func(at func(string) any) bool { return at("queue/media/2/type") == absent },
	"queue.queueId":        func(at func(string) any) bool { return at("queue/queueId") == 26439068590.0 },
	"queue.giphyId":        func(at func(string) any) bool { return at("queue/giphyId") == nil },
	"queue.releaseForms":   func(at func(string) any) bool { return at("queue/releaseForms") == nil },
	"queue.mediaTypes":     func(at func(string) any) bool { return at("queue/mediaTypes") == nil },
	"queue.price":          func(at func(string) any) bool { return at("queue/price") == 0.0 },
	"queue.previews":       func(at func(string) any) bool { return size(at("queue/previews")) == 0 },
	"queue.cancelSeconds":  func(at func(string) any) bool { return at("queue/cancelSeconds") == 86397.0 },
	"queue.unsendSeconds":  func(at func(string) any) bool { return at("queue/unsendSeconds") == 0.0 },
	"queue.createdAt":      func(at func(string) any) bool { return at("queue/createdAt") == "2025-07-23T10:01:22+00:00" },
	"queue.changedAt":      func(at func(string) any) bool { return at("queue/changedAt") == "2025-07-23T10:01:22+00:00" },
	"queue.date":           func(at func(string) any) bool { return at("queue/date") == "2025-01-01T01:01:01+00:00" },
	"queue.fromUser._view": func(at func(string) any) bool { return at("queue/fromUser/view") != absent },
	"queue.fromUser.name":  func(at func(string) any) bool { return at("queue/fromUser/_view") == absent },
	"queue.media":          func(at func(string) any) bool { return size(at("queue/media")) > 1 },

	"queue.unsendSecondsQueue":   func(at func(string) any) bool { return at("queue/unsendSecondsQueue") == 1000000.0 },
	"queue.canPurchaseReason":    func(at func(string) any) bool { return at("queue/canPurchaseReason") == "free" },
	"queue.media[].createdAt":    func(at func(string) any) bool { return at("queue/media/0/createdAt") == nil },
	"queue.media[].releaseForms": func(at func(string) any) bool { return at("queue/media/0/releaseForms") == absent },
	"queue.media[].duration": func(at func(string) any) bool {
		return at("queue/media/0/duration") == 0.0 && at("queue/media/1/duration") == 769.0
	},
	"queue.media[].videoSources.240":   func(at func(string) any) bool { return at("queue/media/0/videoSources/240") == nil },
	"queue.media[].videoSources.720":   func(at func(string) any) bool { return at("queue/media/0/videoSources/720") == nil },
	"queue.media[].files.full.url":     func(at func(string) any) bool { return at("queue/media/1/files/full/url") == nil },
	"queue.media[].files.full.size":    func(at func(string) any) bool { return at("queue/media/0/files/full/size") == 0.0 },
	"queue.media[].files.full.sources": func(at func(string) any) bool { return size(at("queue/media/0/files/full/sources")) == 0 },
	"queue.media[].files.thumb.width":  func(at func(string) any) bool { return at("queue/media/0/files/thumb/width") == absent },
	"queue.media[].files.thumb.height": func(at func(string) any) bool { return at("queue/media/0/files/thumb/height") == absent },
	"queue.media[].files.thumb.size": func(at func(string) any) bool {
		return at("queue/media/0/files/thumb/size") == absent && at("queue/media/1/files/thumb/size") == 0.0
	},
}

// absent stands for a member that is not there.
const absent = "(absent)"

// size counts what is in an object or an array; of anything else it is -1.
func size(v any) int {
	switch v := v.(type) {
	case map[string]any:
		return len(v)
	case []any:
		return len(v)
	}
	return -1
}

func TestWireBodyHoldsEveryDepartureSeenAndPasses(t *testing.T) {
	body := testdata(t, "wire.json")
	var root any
	if err := json.Unmarshal([]byte(body), &root); err != nil {
		t.Fatal(err)
	}
	at := func(path string) any {
		if value, ok := get(root, strings.Split(path, "/")); ok {
			return value
		}
		return absent
	}
	for _, line := range strings.Split(testdata(t, "fields.tsv"), "\n")[1:] {
		columns := strings.Split(line, "\t")
		if len(columns) < 5 || columns[4] == "" {
			continue
		}
		if shown, ok := departures[columns[0]]; !ok {
			t.Errorf("%s: nobody looks for %q", columns[0], columns[4])
		} else if !shown(at) {
			t.Errorf("%s: wire.json does not show %q", columns[0], columns[4])
		}
	}
	if at("meta") == absent || at("queue/hasUrl") == absent || at("queue/media/1/files/drm") == absent {
		t.Error("wire.json has no added members")
	}
	wantPointers(t, newValidator(t).CheckResponse(nil, newResponse(http.StatusOK, body)))
}

// TestOtherWireFormsPass holds what excludes the forms of wire.json.
func TestOtherWireFormsPass(t *testing.T) {
	v := newValidator(t)
	for name, edit := range map[string]func(queue map[string]any){
		"mass message": func(queue map[string]any) {
			delete(queue, "fromUser")
			delete(queue, "media")
			delete(queue, "previews")
		},
		"sender by view":        func(queue map[string]any) { queue["fromUser"] = map[string]any{"id": 41234567, "_view": "s"} },
		"no media":              func(queue map[string]any) { queue["media"] = []any{} },
		"release forms":         func(queue map[string]any) { queue["releaseForms"] = []any{} },
		"price in words":        func(queue map[string]any) { queue["price"] = "19.99" },
		"price with a fraction": func(queue map[string]any) { queue["price"] = 19.99 },
		"only its id": func(queue map[string]any) {
			for name := range queue {
				if name != "id" {
					delete(queue, name)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			var body struct {
				Success bool           `json:"success"`
				Queue   map[string]any `json:"queue"`
			}
			if err := json.Unmarshal([]byte(testdata(t, "wire.json")), &body); err != nil {
				t.Fatal(err)
			}
			edit(body.Queue)
			text, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			wantPointers(t, v.CheckResponse(nil, newResponse(http.StatusOK, string(text))))
		})
	}
	for _, body := range []string{`{"success":true}`, `{"success":false,"queue":null}`, ` {"success" : true, "more": [1]} ` + "\n"} {
		wantPointers(t, v.CheckResponse(nil, newResponse(http.StatusOK, body)))
	}
}

// get returns the value at path in decoded JSON.
func get(value any, path []string) (any, bool) {
	for _, step := range path {
		switch parent := value.(type) {
		case map[string]any:
			child, ok := parent[step]
			if !ok {
				return nil, false
			}
			value = child
		case []any:
			i := int(step[0] - '0')
			if len(step) != 1 || i < 0 || i >= len(parent) {
				return nil, false
			}
			value = parent[i]
		default:
			return nil, false
		}
	}
	return value, true
}
