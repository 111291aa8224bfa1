package contract_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/contract"
)

// drifted returns the findings of responses to the unsend operation, compared with
// testdata/openapi.yaml. Each response is a status and a body.
func drifted(t *testing.T, responses ...string) []contract.Finding {
	t.Helper()
	d := contract.NewDrift(fixedContract(t))
	for _, response := range responses {
		var status int
		if _, err := fmt.Sscan(response[:3], &status); err != nil {
			t.Fatal(err)
		}
		if err := d.Add(nil, newResponse(status, response[3:])); err != nil {
			t.Fatal(err)
		}
	}
	return d.Findings()
}

func TestFindings(t *testing.T) {
	t.Parallel()
	queue := func(members string) string { return `200{"success":true,"queue":{"id":1,` + members + `}}` }
	for name, row := range map[string]struct {
		responses []string
		want      string // without the line
	}{
		"nothing": {[]string{queue(`"text":"x","price":0,"media":[{"id":1,"type":"gif"}],"releaseForms":[null,1]`),
			`404{"error":"x","type":"RESOURCE_NOT_FOUND"}`}, ""},
		"a member": {[]string{queue(`"isStarred":true`), queue(`"isStarred":null`)}, `
Queue.isStarred: boolean, null, seen 2 times; add below:
        isStarred:
          type: boolean
          nullable: true
          description: Not documented.
          x-undocumented: true`},
		"a member of several kinds": {[]string{queue(`"note":1`), queue(`"note":"x"`)}, `
Queue.note: integer, string, seen 2 times; add below:
        note:
          description: Not documented.
          x-undocumented: true`},
		"an object": {[]string{queue(`"tip":{"amount":1.5,"tags":["x"]}`)}, `
Queue.tip: object, seen once; add below:
        tip:
          type: object
          description: Not documented.
          x-undocumented: true
          properties:
            amount:
              type: number
              format: double
              description: Not documented.
            tags:
              type: array
              description: Not documented.
              items:
                type: string
                description: Not documented.`},
		"a name that looks like none": {[]string{queue(`"Good morning!":1`)}, `
Queue.*: integer, seen once; by hand:
# These do not look like names, and are not shown: look at the response.`},
		"a name that another has in Go": {[]string{queue(`"is_new":true`)}, `
Queue.is_new: boolean, seen once; by hand:
# Another member would have its name in Go: give it one in gen/overlay.yaml.`},
		"a map": {[]string{queue(`"words":{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1}`)}, `
Queue.words: object, seen once; add below:
        words:
          type: object
          description: Not documented.
          x-undocumented: true
          additionalProperties:
            description: Not documented.`},
		"null": {[]string{queue(`"text":null`)}, `
Queue.text: null, seen once; add below:
          nullable: true`},
		"null of a schema in flow style": {[]string{queue(`"isNew":null`)}, `
Queue.isNew: null, seen once; by hand:
# Write this in block style first, a line for each member.`},
		"another kind": {[]string{queue(`"lockedText":"x"`), queue(`"lockedText":7`), queue(`"lockedText":null`)}, `
Queue.lockedText: integer, null, string, seen 3 times; write in its place:
        lockedText:
          description: Whether the text is hidden.
          anyOf:
            - type: boolean
            - type: integer
              format: int64
            - type: string
              nullable: true
            - type: string
          x-go-type: bool`},
		"a number in place of an integer": {[]string{`200{"success":true,"queue":{"id":1.5}}`}, `
Queue.id: number, seen once; write in its place:
        id:
          anyOf:
            - type: integer
              format: int64
            - type: number
              format: double
          x-go-type: int64`},
		"another kind of a union": {[]string{queue(`"price":true`), queue(`"price":null`)}, `
Price: boolean, null, seen 2 times; add below:
        - type: boolean
        - type: string
          nullable: true`},
		"a member of a union of objects": {[]string{queue(`"either":{"x":true,"y":"","new":1}`)}, `
Queue.either.new: integer, seen once; add below:
                new:
                  type: integer
                  format: int64
                  description: Not documented.
                  x-undocumented: true
Queue.either.x: boolean, seen once; write in its place:
                x:
                  anyOf:
                    - type: integer
                    - type: boolean
                  x-go-type: int`},
		"a member of several schemas": {[]string{queue(`"both":{"x":null,"new":[]}`)}, `
Queue.both.new: array, seen once; add below:
                new:
                  type: array
                  description: Not documented.
                  x-undocumented: true
                  items: {}
Queue.both.x: null, seen once; add below:
                  nullable: true`},
		"members of any name": {[]string{queue(`"further":{"some text":{"x":null,"new":{}}}`)}, `
Queue.further.*.new: object, seen once; add below:
              new:
                type: object
                description: Not documented.
                x-undocumented: true
Queue.further.*.x: null, seen once; add below:
                nullable: true`},
		"an object for a scalar": {[]string{queue(`"text":{}`)}, `
Queue.text: object, seen once; by hand:
# Objects and arrays beside other kinds, and items of several kinds, need a schema of their own.`},
		"items of another kind": {[]string{queue(`"previews":[1,"x"]`)}, `
Queue.previews[]: string, seen once; by hand:
# Objects and arrays beside other kinds, and items of several kinds, need a schema of their own.`},
		"a required member": {[]string{`200{"queue":{"id":1}}`}, `
UnsendResponse.success: missing, seen once; by hand:
# It is required. If nobody relies on it, it need not be.`},
		"a status": {[]string{`409{"error":"x"}`, `409{"error":"x"}`}, `
unsendChatMessage.409: status, seen 2 times; add below:
        '409':
          $ref: '#/components/responses/Error'`},
		"a status of success": {[]string{`202{"accepted":true}`}, `
unsendChatMessage.202: status, seen once; add below:
        '202':
          description: Accepted (not documented).
          x-undocumented: true
          content:
            application/json:
              schema: {}`},
		"a type of error": {[]string{`404{"error":"x","type":"CONFLICT"}`, `404{"error":"x","type":"not a type"}`}, `
ErrorBody.type: CONFLICT, seen once; write in its place:
          description: |
            The error's name, such as UNAUTHORIZED.
            Also seen: ` + "`CONFLICT`."},
		"a type of a schema without a name": {[]string{`503{"type":"BUSY"}`}, `
unsendChatMessage 503.type: BUSY, seen once; add below:
                    description: 'Also seen: ` + "`BUSY`.'"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got strings.Builder
			for _, f := range drifted(t, row.responses...) {
				_, text, _ := strings.Cut(strings.TrimPrefix(f.String(), "openapi.yaml:"), ": ")
				got.WriteString("\n" + text)
			}
			if got.String() != row.want {
				t.Errorf("got:%s\nwant:%s", got.String(), row.want)
			}
		})
	}
}

func TestDriftReportsWhatItCannotRead(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"":                             "nothing",
		`{"success":`:                  "JSON cut short after 11 bytes",
		"<html>":                       "text that is not JSON, from byte 0 on",
		strings.Repeat("[", 200):       "JSON nested deeper than 100 levels",
		strings.Repeat(" ", 8*mib+100): "more than 8 MiB",
	} {
		d := contract.NewDrift(fixedContract(t))
		err := d.Add(nil, newResponse(http.StatusOK, body))
		if want = "the body cannot be compared with the contract: found " + want; err == nil || err.Error() != want {
			t.Errorf("%.20q: %v, want %s", body, err, want)
		}
		if f := d.Findings(); len(f) > 0 {
			t.Errorf("%.20q: %v", body, f)
		}
	}
	unknown := contract.NewDrift(contract.ForOperation("unknown"))
	if err := unknown.Add(nil, newResponse(http.StatusOK, "{}")); err == nil || !strings.Contains(err.Error(), `no operation "unknown"`) {
		t.Errorf("an unknown operation: %v", err)
	}
	if f := unknown.Findings(); f != nil {
		t.Errorf("an unknown operation has findings: %v", f)
	}
	if err := contract.NewDrift().Add(nil, nil); err == nil {
		t.Error("no response is no error")
	}
}

func TestDriftOfAClient(t *testing.T) {
	t.Parallel()
	url, client, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		respond(w, http.StatusOK, `{"success":true,"isNew":true}`)
	})
	d := contract.NewDrift(fixedContract(t))
	client.Transport = d.Transport(client.Transport)
	for range 2 {
		if _, body := do(t, client, toServer(t, url, documentedRequest)); body != `{"success":true,"isNew":true}` {
			t.Errorf("the client reads %s", body)
		}
	}
	if f := d.Findings(); len(f) != 1 || f[0].Member != "isNew" || f[0].Count != 2 {
		t.Errorf("findings %v, want isNew twice", f)
	}
}

// put puts the lines of all findings into a document, the last first. It returns the number of
// findings that have lines.
func put(document []byte, findings []contract.Finding) (edited []byte, n int) {
	lines := strings.Split(string(document), "\n")
	for _, f := range slices.Backward(findings) {
		if strings.HasPrefix(f.YAML, "#") {
			continue
		}
		n++
		end, entry := f.Line, strings.Split(f.YAML, "\n")
		name, _, _ := strings.Cut(entry[0], ":")
		if old, _, _ := strings.Cut(lines[f.Line-1], ":"); old == name { // in its place
			f.Line--
			indent := len(name) - len(strings.TrimLeft(name, " "))
			for end < len(lines) && (lines[end] == "" || len(lines[end])-len(strings.TrimLeft(lines[end], " ")) > indent) {
				end++
			}
			for lines[end-1] == "" {
				end--
			}
		}
		lines = slices.Replace(lines, f.Line, end, entry...)
	}
	return []byte(strings.Join(lines, "\n")), n
}

const secret = "planted in a text"

// mutate changes a body as a service may come to: other kinds, nulls, members that are new or gone.
func mutate(r *rand.Rand, value any) any {
	huge := json.Number("12345678901234567890123")
	fresh := []any{nil, true, 7, 1.5, huge, secret, []any{}, map[string]any{}, []any{secret, 1}, map[string]any{
		"inner": secret, "yes": nil, "list": []any{map[string]any{"deep": 1, "null": secret}}, secret: 1}}
	if r.IntN(12) == 0 {
		return fresh[r.IntN(len(fresh))]
	}
	switch value := value.(type) {
	case map[string]any:
		changed := map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(value)) {
			if r.IntN(30) > 0 {
				changed[name] = mutate(r, value[name])
			}
		}
		if r.IntN(4) == 0 {
			changed[fmt.Sprintf("added%d", r.IntN(6))] = fresh[r.IntN(len(fresh))]
		}
		return changed
	case []any:
		changed := []any{}
		for _, item := range value {
			changed = append(changed, mutate(r, item))
		}
		return changed
	}
	return value
}

func TestFindingsPutIntoTheContractAreGone(t *testing.T) {
	t.Parallel()
	var wire any
	if err := json.Unmarshal([]byte(testdata(t, "wire.json")), &wire); err != nil {
		t.Fatal(err)
	}
	all := contract.NewDrift()
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 0))
		type capture struct {
			status int
			body   string
		}
		var captures []capture
		for range 1 + r.IntN(4) {
			body, err := json.Marshal(mutate(r, wire))
			if err != nil {
				t.Fatal(err)
			}
			captures = append(captures, capture{[]int{200, 200, 200, 202}[r.IntN(4)], string(body)})
		}
		failure := map[string]any{"error": secret, "type": fmt.Sprintf("NEW_%d", r.IntN(9)), "requestId": "x", "details": secret}
		body, err := json.Marshal(mutate(r, failure))
		if err != nil {
			t.Fatal(err)
		}
		captures = append(captures, capture{[]int{400, 403, 409, 418, 500}[r.IntN(5)], string(body)})
		findings := func(d *contract.Drift) []contract.Finding {
			for _, c := range captures {
				if err := d.Add(nil, newResponse(c.status, c.body)); err != nil {
					t.Fatal(err)
				}
			}
			return d.Findings()
		}
		before := findings(contract.NewDrift())
		document, n := put(contract.Document(), before)
		d := contract.NewDrift(contract.WithDocument(document))
		byHand := 0
		for _, f := range findings(d) {
			if strings.HasPrefix(f.YAML, "#") {
				byHand++
			} else {
				t.Errorf("seed %d: is not gone: %v", seed, f)
			}
		}
		if byHand+n != len(before) {
			t.Errorf("seed %d: %d findings by hand and %d with lines of %d", seed, byHand, n, len(before))
		}
		for _, f := range before {
			if strings.Contains(f.String(), secret) {
				t.Errorf("shows a value: %v", f)
			}
		}
		findings(all)
	}
	document, _ := put(contract.Document(), all.Findings())
	if path := os.Getenv("UNSEND_DRIFTED"); path != "" { // for a run of everything, by hand
		if err := os.WriteFile(path, document, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := contract.New(contract.WithDocument(document)); err != nil {
		t.Error(err)
	}
}
