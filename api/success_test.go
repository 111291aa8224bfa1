package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/api"
)

// filler is a JSON string's content of n bytes.
func filler(n int) string { return strings.Repeat("x", n) }

// TestReadSuccess has bodies, whole and cut. Where success is said more than once at the top
// level and not the same, the body says nothing.
func TestReadSuccess(t *testing.T) {
	deep := strings.Repeat("[", 100_000)
	for name, c := range map[string]struct {
		body        string
		success, ok bool
	}{
		"last":                    {body: `{"queue":{"id":1},"more":[1,{"success":false}],"success":true}`, success: true, ok: true},
		"twice false":             {body: `{"success":false,"x":1,"success":false}`, ok: true},
		"another in a text":       {body: `{"success":true,"queue":{"text":"\"success\":false"}}`, success: true, ok: true},
		"cut in the snapshot":     {body: `{"success":true,"queue":{"id":1,"text":"<p>`, success: true, ok: true},
		"before nonsense":         {body: `{"success":true,<<<,"success":false}`, success: true, ok: true},
		"before a deep snapshot":  {body: `{"success":true,"queue":` + deep, success: true, ok: true},
		"both, far apart":         {body: `{"success":true,"text":"` + filler(1<<20) + `","success":false}`},
		"both behind a snapshot":  {body: `{"queue":{"id":1},"success":false,"more":[],"success":true}`},
		"null, then true":         {body: `{"success":null,"success":true}`},
		"true, then cut":          {body: `{"success":true,"success":fal`},
		"only in a text":          {body: `{"text":"\"success\":true"}`},
		"as an object":            {body: `{"success":{"success":true}}`},
		"cut in the value":        {body: `{"success":tru`},
		"a digit behind true":     {body: `{"queue":{},"success":true1}`},
		"a list's end behind":     {body: `{"success":true]`},
		"a text behind true":      {body: `{"success":true"x"}`},
		"behind a second comma":   {body: `{"a":1,,"success":true}`},
		"behind what is no JSON":  {body: `{"a":nul,"success":true}`},
		"behind a deep snapshot":  {body: `{"queue":` + deep + strings.Repeat("]", 100_000) + `,"success":true}`},
		"behind a BOM":            {body: "\ufeff" + `{"success":true}`},
		"an unfinished long name": {body: `{"` + filler(1<<20)},
	} {
		t.Run(name, func(t *testing.T) {
			success, ok := api.ReadSuccess([]byte(c.body))
			if success != c.success || ok != c.ok {
				t.Errorf("success is %t, %t; want %t, %t", success, ok, c.success, c.ok)
			}
		})
	}
}

// TestAnswersOf2xx: status and success decide, and nothing else. Of a body 8 MiB are read.
func TestAnswersOf2xx(t *testing.T) {
	for name, c := range map[string]struct {
		status      int
		contentType string
		body        string
		unsent      bool
		text        string // of the error
	}{
		"as text":                  {status: 200, contentType: "text/plain", body: `{"success":true}`, unsent: true},
		"without a media type":     {status: 200, body: `{"success":true}`, unsent: true},
		"a 202":                    {status: 202, contentType: "application/json", body: `{"success":true}`, unsent: true},
		"the limit behind":         {status: 200, contentType: "application/json", body: `{"success":true,"queue":{"id":1,"text":"` + filler(api.MaxBody) + `"}}`, unsent: true},
		"exactly the limit":        {status: 200, contentType: "application/json", body: `{"a":"` + filler(api.MaxBody-len(`{"a":"","success":true}`)) + `","success":true}`, unsent: true},
		"success across the limit": {status: 200, contentType: "application/json", body: `{"a":"` + filler(api.MaxBody-len(`{"a":"","success":tr`)) + `","success":true}`, text: "larger than 8 MiB"},
		"a page past the limit":    {status: 200, contentType: "text/html", body: filler(api.MaxBody + 1), text: "larger than 8 MiB"},
		"a page":                   {status: 200, contentType: "text/html", body: "<!DOCTYPE html><h1>It works!</h1>", text: "does not report"},
		"no content":               {status: 204, text: "does not report"},
		"an error's body":          {status: 200, contentType: "application/json", body: `{"error":"Message not found","type":"RESOURCE_NOT_FOUND"}`, text: "does not report"},
	} {
		t.Run(name, func(t *testing.T) {
			header := http.Header{"Content-Type": {c.contentType}, "X-Request-Id": {"req_odd"}}
			if !c.unsent {
				e := fail(t, c.status, header, c.body)
				if !errors.Is(e, api.ErrUnexpectedResponse) || !e.MaybeUnsent || e.RequestID != "req_odd" || !strings.Contains(e.Error(), c.text) {
					t.Errorf("%v; MaybeUnsent %v, request id %q", e, e.MaybeUnsent, e.RequestID)
				}
				return
			}
			result, err := unsend(t.Context(), t, newClient(t, answer(t, c.status, header, c.body)))
			if err != nil {
				t.Fatal(err)
			}
			if result.Outcome != api.Unsent || result.RequestID != "req_odd" || string(result.Raw) != c.body[:min(len(c.body), api.MaxBody)] {
				t.Errorf("%s, %s, %d bytes", result.Outcome, result.RequestID, len(result.Raw))
			}
		})
	}
}

// FuzzReadSuccess compares with encoding/json on what is JSON. On what is not, no success may
// be read that is not there in so many words.
func FuzzReadSuccess(f *testing.F) {
	for _, body := range odd() {
		f.Add([]byte(body))
	}
	f.Add([]byte(`{"queue":{"id":6432457811894,"text":"<p>\"success\":true</p>"},"success":false}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		success, ok := api.ReadSuccess(body)
		if !ok {
			success = false
		}
		values, whole := topLevel(body, "success")
		if whole {
			wantOK := len(values) > 0 && (values[0] == "true" || values[0] == "false") && len(slices.Compact(slices.Clone(values))) == 1
			if ok != wantOK || success != (wantOK && values[0] == "true") {
				t.Fatalf("%q: success %v, %v; encoding/json finds %q", body, success, ok, values)
			}
		}
		if success && !bytes.Contains(body, []byte("true")) {
			t.Fatalf("%q has success and no true", body)
		}
		if ok { // what is read stands in the part that was read, so it stays when more comes
			if again, stillOK := api.ReadSuccess(append(bytes.Clone(body), `,"x":1}`...)); whole && (!stillOK || again != success) {
				t.Fatalf("%q: %v, and with more behind it %v, %v", body, success, again, stillOK)
			}
		}
	})
}

// topLevel finds the values of a member of an object, as encoding/json reads it; whole says
// whether the body is one.
func topLevel(body []byte, name string) (values []string, whole bool) {
	dec := json.NewDecoder(bytes.NewReader(body))
	if token, err := dec.Token(); !json.Valid(body) || err != nil || token != json.Delim('{') {
		return nil, false
	}
	for dec.More() {
		key, err := dec.Token()
		var value json.RawMessage
		if err != nil || dec.Decode(&value) != nil {
			return nil, false
		}
		if key == name {
			values = append(values, string(value))
		}
	}
	return values, true
}

// FuzzUnsend is a whole call, answered with any body and any status: it ends, says unsent
// only where the status and success do, and its error has what every error has.
func FuzzUnsend(f *testing.F) {
	for i, body := range odd() {
		f.Add([]byte(body), 200, i)
	}
	f.Add([]byte(`{"error":"No","type":"RESOURCE_NOT_FOUND"}`), 404, 1000)
	f.Add([]byte("<html>"), 502, 3)
	for i, body := range []string{
		`{"error":"No","type":"X","requestId":"r","actionRequired":"a"}`, `{"message":"No","code":1,"details":{}}`, `{"error":{"a":[1]}}`,
		"\xff", `{"error":"\ud800"}`, strings.Repeat("[", 11_000), `{"error":"` + plantedKey + `"}`, `{"type":"RESOURCE_NOT_FOUND"}`,
	} {
		f.Add([]byte(body), 400+i, -1)
	}
	f.Fuzz(func(t *testing.T, body []byte, status, cut int) {
		if status < 100 || status > 999 {
			t.Skip("net/http takes three digits only")
		}
		client := newClient(t, roundTrip(func(req *http.Request) (*http.Response, error) {
			resp := newResponse(req, status, http.Header{"Retry-After": {"100"}}, bytes.NewReader(body))
			if cut >= 0 && cut < len(body) {
				resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:cut]), errorReader{}))
			}
			return resp, nil
		}), api.WithoutRateLimit(), api.WithRetries(0))
		result, err := unsend(t.Context(), t, client)
		read := body
		if cut >= 0 && cut < len(body) {
			read = body[:cut]
		}
		success, ok := api.ReadSuccess(read)
		if unsent := status/100 == 2 && ok && success; unsent != (err == nil) {
			t.Fatalf("%d %q: %v, %v", status, read, result, err)
		}
		if err == nil {
			return
		}
		if e := apiError(t, err); e.StatusCode != status || e.Message == "" || len(e.Body()) > 64<<10 || e.Attempts != 1 {
			t.Fatalf("%d %q: %+v", status, read, e)
		}
	})
}

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// odd are bodies that have been trouble, here or elsewhere.
func odd() []string {
	return []string{
		`{"success":true}`, `{"success":false}`, "\r\n\t {\n \"success\" : true \n}", `{"success":true,"success":true}`, `[{"success":true}]`,
		`{"success":true,"queue":{"success":false}}`, `{"queue":{"success":true}}`, `{"success":true,"Success":false}`, `{"successful":true}`,
		`{"success":"true"}`, `{"success":1}`, `{"success":true,"\u0073uccess":false}`, `{"success":true,"success":"false"}`, `{"succ`, `{"success" true}`,
		`{'success':true}`, `{"a":1}` + "\n" + `{"success":true}`, `{"success":true`, `{"success":tru`, `{"success":trueish}`, `{"success":true]`, `{"queue":{},"success":true}`,
		`{"success":true,"success":false}`, `{"success":false,"success":true}`, `{"\u0073uccess":true}`, `{"Success":true}`, `{"success":null}`,
		`{"success":true,"queue":{"id":64324`, `{"success":true,"queue":{"id":1,"price":19.99}}`, `{"success":true,"queue":{"id":1,"price":{}}}`,
		`{"success":true,"queue":{"id":"x","text":"y"}}`, `{"success":true,"queue":[]}`, `{"success":true}{"success":false}`, "null", "", "[]", "{", "\ufeff{}",
		`{"success":true,"queue":` + strings.Repeat("[", 200), `{"success":true,"queue":{"media":[{"id":1},{"id":2,"files":{"full":{"sources":[{"url":"x`,
		`{"success" : true , "queue" : {"releaseForms" : [ null , 1e400 ] } }`, `{"a":"\ud800","success":true}`, "{\"a\":\"\xff\",\"success\":true}", `{"success":true,"queue":{"price":}}`,
	}
}
