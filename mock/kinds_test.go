package mock

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/contract"
)

// outsideContract are the drifts to types that nobody documented or saw.
var outsideContract = []Kind{
	"drift-id-string", "drift-id-fraction", "drift-id-absent", "drift-text-number", "drift-flag-number",
	"drift-count-string", "drift-date-number", "drift-media-null", "drift-media-object",
	"drift-price-object", "drift-queue-string", "drift-queue-array",
	"drift-success-string", "drift-success-number", "drift-success-null", "drift-success-absent",
}

func plainSnapshot(t *testing.T, media int) snapshot {
	t.Helper()
	return newSnapshot(New().unsendOp.success(), media)
}

func decoded(t *testing.T, body []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	return v
}

func violations(t *testing.T, check *contract.Validator, body []byte) []contract.Violation {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodDelete, "/v2/access/chats/7/messages/9", nil)
	rec := httptest.NewRecorder()
	rec.Header().Set("Content-Type", mediaJSON)
	_, _ = rec.Write(body)
	resp := rec.Result()
	defer func() { _ = resp.Body.Close() }()
	return check.CheckResponse(req, resp)
}

func TestDriftsChangeTheirMember(t *testing.T) {
	t.Parallel()
	check, err := validator()
	if err != nil {
		t.Fatal(err)
	}
	plain := plainSnapshot(t, 2).body("51234567", "6432457811894")
	for _, name := range DriftKinds() {
		row := name.row()
		a := answer{status: http.StatusOK, body: plain}
		row.apply(&a, Fault{Kind: name})
		got := decoded(t, a.body)
		for _, c := range row.drifts {
			for _, found := range at(got, strings.Split(c.path, ".")) {
				var want any = absent{}
				if c.value != "" {
					want = decoded(t, []byte(c.value))
				}
				if !reflect.DeepEqual(found, want) {
					t.Errorf("%s: %s is %v, want %v", name, c.path, found, want)
				}
			}
		}
		if len(row.drifts) == 1 && reflect.DeepEqual(got, decoded(t, plain)) && !shownPlain(row.drifts[0].path) {
			t.Errorf("%s changes nothing", name)
		}
		if vs := violations(t, check, a.body); (len(vs) > 0) != slices.Contains(outsideContract, name) {
			t.Errorf("%s: contract says %v, want violations: %v", name, vs, slices.Contains(outsideContract, name))
		}
		if row.means == unsent && !strings.HasPrefix(string(a.body), `{"success":true`) {
			t.Errorf("%s: success is not first: %.40s", name, a.body)
		}
	}
}

func TestDriftsKeepLongIDs(t *testing.T) {
	t.Parallel()
	const id = "987654321987654321" // would not survive a float64
	a := answer{status: http.StatusOK, body: plainSnapshot(t, 1).body(id, id)}
	Kind("drift-price-number").row().apply(&a, Fault{})
	if strings.Count(string(a.body), ":"+id) != 2 {
		t.Errorf("an id was changed: %.300s", a.body)
	}
}

func TestKindsHaveDistinctNamesAndWords(t *testing.T) {
	t.Parallel()
	met := map[Kind]bool{"": true}
	for _, kind := range FaultKinds() {
		if met[kind] || kind.About() == "" || strings.ContainsAny(kind.About(), "`\n") {
			t.Errorf("%q: stands twice, or is described as %q", kind, kind.About())
		}
		met[kind] = true
	}
	if about := Kind("nonsense").About(); about != "" {
		t.Errorf("an unknown kind is described as %q", about)
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

// Every member that is documented is in the plain snapshot, and every departure that the table of
// fields knows has a drift, or is in there.
func TestTableOfFieldsIsCovered(t *testing.T) {
	t.Parallel()
	plain := decoded(t, plainSnapshot(t, 1).body("51234567", "6432457811894"))
	table, err := os.ReadFile("../testdata/fields.tsv")
	if err != nil {
		t.Fatal(err)
	}
	covered := map[string]bool{}
	for _, kind := range DriftKinds() {
		for _, c := range kind.row().drifts {
			covered[c.path] = true
			// A sender of another form says so of its members.
			if c.path == "queue.fromUser" {
				covered["queue.fromUser.name"], covered["queue.fromUser._view"] = true, true
			}
		}
	}
	rows := 0
	for line := range strings.Lines(string(table)) {
		columns := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		if len(columns) < 5 || columns[0] == "path" {
			continue
		}
		if found := at(plain, strings.Split(columns[0], ".")); len(found) == 0 || found[0] == (absent{}) {
			t.Errorf("%s is not in the plain snapshot", columns[0])
		}
		if columns[4] == "" {
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
