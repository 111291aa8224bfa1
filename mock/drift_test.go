package mock

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/contract"
)

func plainBodyFor(t *testing.T) []byte {
	t.Helper()
	return newSnapshot(2).body("51234567", "6432457811894")
}

func decoded(t *testing.T, body []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	return v
}

func judged(t *testing.T, body []byte) []contract.Violation {
	t.Helper()
	validator, err := contract.New()
	if err != nil {
		t.Fatal(err)
	}
	req := httptest.NewRequestWithContext(t.Context(), http.MethodDelete, "/v2/access/chats/7/messages/9", nil)
	rec := httptest.NewRecorder()
	rec.Header().Set("Content-Type", mediaJSON)
	if _, err := rec.Write(body); err != nil {
		t.Fatal(err)
	}
	resp := rec.Result()
	defer func() { _ = resp.Body.Close() }()
	return validator.CheckResponse(req, resp)
}

func TestDriftsChangeTheirMember(t *testing.T) {
	plain := plainBodyFor(t)
	for _, d := range drifts() {
		body := d.apply(plain)
		got := decoded(t, body)
		for _, c := range d.changes {
			for _, found := range at(got, strings.Split(c.at, ".")) {
				var want any = absent{}
				if c.value != "" {
					want = decoded(t, []byte(c.value))
				}
				if !reflect.DeepEqual(found, want) {
					t.Errorf("%s: %s is %v, want %v", d.name, c.at, found, want)
				}
			}
		}
		if len(d.changes) == 1 && reflect.DeepEqual(got, decoded(t, plain)) && !shownPlain(d.changes[0].at) {
			t.Errorf("%s changes nothing", d.name)
		}
		if violations := judged(t, body); (len(violations) > 0) != d.breaks {
			t.Errorf("%s: contract says %v, want departures: %v", d.name, violations, d.breaks)
		}
		if !d.unreadable() && !strings.HasPrefix(string(body), `{"success":true`) {
			t.Errorf("%s: success is not first: %.40s", d.name, body)
		}
	}
}

func TestDriftsKeepLongIDs(t *testing.T) {
	d, _ := driftOf("drift-price-number")
	const id = "987654321987654321" // would not survive a float64
	if body := d.apply(newSnapshot(1).body(id, id)); strings.Count(string(body), ":"+id) != 2 {
		t.Errorf("an id was changed: %.300s", body)
	}
}

type absent struct{}

// at finds the values at a path, one for each element of the lists on the way.
func at(node any, path []string) []any {
	if len(path) == 0 {
		return []any{node}
	}
	name, each := strings.CutSuffix(path[0], "[]")
	object, ok := node.(map[string]any)
	if !ok {
		return nil
	}
	member, ok := object[name]
	if !ok {
		return []any{absent{}}
	}
	if !each {
		return at(member, path[1:])
	}
	var all []any
	elements, _ := member.([]any)
	for _, element := range elements {
		all = append(all, at(element, path[1:])...)
	}
	return all
}

// shownPlain reports whether the plain snapshot shows the member as the wire does already.
func shownPlain(member string) bool {
	switch member {
	case "queue.id", "queue.media[].id", "queue.queueId", // beyond 32 bits
		"queue.createdAt", "queue.changedAt", "queue.date", // with a zone of +00:00
		"queue.cancelSeconds", "queue.canPurchaseReason",
		"queue.giphyId", "queue.media[].videoSources.240", "queue.media[].videoSources.720", // null
		"queue.media[].duration", "queue.releaseForms":
		return true
	}
	return false
}

// Every departure that the table of fields knows has a drift, or is in the plain snapshot.
func TestDriftsCoverTheTableOfFields(t *testing.T) {
	table, err := os.ReadFile("../testdata/fields.tsv")
	if err != nil {
		t.Fatal(err)
	}
	covered := map[string]bool{}
	for _, d := range drifts() {
		for _, c := range d.changes {
			covered[c.at] = true
			// A sender of another form says so of its members.
			if c.at == "queue.fromUser" {
				covered["queue.fromUser.name"], covered["queue.fromUser._view"] = true, true
			}
		}
	}
	rows := 0
	for line := range strings.Lines(string(table)) {
		columns := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		if len(columns) < 5 || columns[0] == "path" || columns[4] == "" {
			continue
		}
		rows++
		if !covered[columns[0]] && !shownPlain(columns[0]) {
			t.Errorf("%s: %s, but no drift shows it", columns[0], columns[4])
		}
	}
	if rows < 20 {
		t.Errorf("only %d departures in the table", rows)
	}
}

func TestDriftNamesAreDistinct(t *testing.T) {
	met := map[Kind]bool{}
	for _, kind := range FaultKinds() {
		if met[kind] {
			t.Errorf("%s stands twice", kind)
		}
		met[kind] = true
	}
}
