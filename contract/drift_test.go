package contract_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/contract"
)

// captured is a response in a case of testdata: a request, the status, a media type, the body.
var captured = regexp.MustCompile(`^(?:([A-Z]+) (/\S+) )?([1-5]\d\d)(?: ([a-z]+/\S+(?: charset=\S+)?))?(?: (.*))?$`)

// Each case has responses and the findings about them. Once their lines are in the document, there
// are no others.
func TestFindings(t *testing.T) {
	t.Parallel()
	for file, document := range map[string]string{"drift.txt": "openapi.yaml", "own.txt": "own.yaml"} {
		for _, text := range strings.Split(testdata(t, file), "\n\n== ")[1:] {
			name, lines, _ := strings.Cut(strings.TrimSpace(text), "\n")
			t.Run(document+"/"+name, func(t *testing.T) {
				t.Parallel()
				var responses, want, got []string
				for line := range strings.SplitSeq(lines, "\n") {
					if captured.MatchString(line) {
						responses = append(responses, line)
					} else {
						want = append(want, line)
					}
				}
				before := findingsAbout(t, testdata(t, document), responses)
				for _, f := range before {
					_, text, _ := strings.Cut(strings.TrimPrefix(f.String(), "openapi.yaml:"), ": ")
					got = append(got, text)
				}
				if strings.Join(got, "\n") != strings.Join(want, "\n") {
					t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
				edited, _ := put([]byte(testdata(t, document)), before)
				for _, f := range findingsAbout(t, string(edited), responses) {
					if !strings.HasPrefix(f.YAML, "#") {
						t.Errorf("is not gone: %v", f)
					}
				}
			})
		}
	}
}

func findingsAbout(t *testing.T, document string, responses []string) []contract.Finding {
	t.Helper()
	d := contract.NewDrift(contract.WithDocument([]byte(document)))
	for _, line := range responses {
		m := captured.FindStringSubmatch(line)
		status, _ := strconv.Atoi(m[3]) // three digits
		resp := newResponse(status, m[5])
		if m[1] != "" {
			resp.Request = requestTo(t, m[1], m[2])
		}
		if m[4] != "" {
			resp.Header.Set("Content-Type", m[4])
		}
		if err := d.Add(nil, resp); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
	return d.Findings()
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
