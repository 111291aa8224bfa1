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

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/gen"
)

// FuzzUnsend makes a call whose response has any status and any body, whole or cut. The call reports
// unsent or refused if encoding/json finds that success in a 2xx, and its error has what every error has.
func FuzzUnsend(f *testing.F) {
	for i, body := range odd() {
		f.Add([]byte(body), 200, -1)
		f.Add([]byte(body), 200, i)
	}
	for _, name := range []string{"documented.json", "wire.json"} {
		var compact bytes.Buffer
		if err := json.Compact(&compact, snapshot(f, name)); err != nil {
			f.Fatal(err)
		}
		f.Add(compact.Bytes(), 200, -1)
		f.Add(compact.Bytes(), 200, compact.Len()/2)
	}
	f.Add([]byte(`{"error":"No","type":"RESOURCE_NOT_FOUND"}`), 404, 1000)
	f.Add([]byte("<html>"), 502, 3)
	for i, body := range []string{
		`{"error":"No","type":"X","requestId":"r","actionRequired":"a"}`, `{"message":"No","code":1,"details":{}}`, `{"error":{"a":[1]}}`,
		"\xff", `{"error":"\ud800"}`, strings.Repeat("[", 11_000), `{"error":"` + plantedKey + `"}`, `{"type":"RESOURCE_NOT_FOUND"}`,
		// Lines, escapes of a terminal, and what turns text around.
		`{"error":"a\r\nb\u0085c\u2028d\u2029e\u000bf\u000cg","type":"A\nB","requestId":"r\n1"}`, `{"error":"\n\n\n"}`,
		`{"error":"\u001b[2J\u001b]0;title\u0007","type":"\u001b[31m","requestId":"\u009b0m"}`, "req_\u202e\x9b\xff",
		`{"error":"\u202egnihton\u2066\u2069","type":"\u200fX"}`, `{"error":"a\u0000b","requestId":"\u0000"}`,
	} {
		f.Add([]byte(body), 400+i, -1)
	}
	f.Fuzz(func(t *testing.T, body []byte, status, cut int) {
		if status < 100 || status > 999 {
			t.Skip("net/http takes three digits only")
		}
		read := body
		if cut >= 0 && cut < len(body) {
			read = body[:cut]
		}
		client := newClient(t, roundTrip(func(req *http.Request) (*http.Response, error) {
			resp := newResponse(req, status, http.Header{"Retry-After": {"100"}, "X-Request-Id": {string(body)}}, bytes.NewReader(read))
			if len(read) < len(body) {
				resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(read), iotest.ErrReader(io.ErrUnexpectedEOF)))
			}
			return resp, nil
		}), api.WithoutRateLimit(), api.WithRetries(0))
		result, err := unsend(t.Context(), t, client)
		success, whole := topLevel(read, "success")
		if status/100 != 2 {
			success = ""
		}
		if whole && ((success == "true") != (err == nil) || (success == "false") != (errors.Is(err, api.ErrRefused) && status/100 == 2)) {
			t.Fatalf("%d %q: %v, %v", status, read, result, err)
		}
		if err == nil {
			if !bytes.Contains(read, []byte("true")) {
				t.Fatalf("%q has success and no true", read)
			}
			fuzzQueue(t, result)
			return
		}
		if e := apiError(t, err); e.StatusCode != status || e.Message == "" || len(e.Body()) > 64<<10 || e.Attempts != 1 {
			t.Fatalf("%d %q: %+v", status, read, e)
		}
	})
}

// fuzzQueue: the queue can be written as JSON and reads the same, and is the same whether it is decoded at
// once or by parts.
func fuzzQueue(t *testing.T, result *api.Result) {
	t.Helper()
	queue, err := result.Queue()
	if err != nil {
		checkQueueError(t, err)
	}
	written, failed := json.Marshal(gen.UnsendResponse{Queue: queue})
	if failed != nil {
		t.Fatalf("%q gives a queue that is no JSON: %v", result.Raw, failed)
	}
	again := api.Result{Outcome: api.Unsent, Raw: written}
	if same, err := again.Queue(); err != nil || !reflect.DeepEqual(same, queue) {
		t.Fatalf("%q gives %+v, and that written and read again %+v, %v", result.Raw, queue, same, err)
	}
	parts, failed := api.QueueByParts(result.Raw)
	if !reflect.DeepEqual(parts, queue) || (failed == nil) != (err == nil) {
		t.Fatalf("%q: Queue gives %+v, %v, and by parts %+v, %v", result.Raw, queue, err, parts, failed)
	}
}

// topLevel returns the value of a member of an object, or nothing if there is none or there are several
// that differ. It reports whether the body is an object, as encoding/json reads it.
func topLevel(body []byte, name string) (value string, whole bool) {
	dec := json.NewDecoder(bytes.NewReader(body))
	if token, err := dec.Token(); !json.Valid(body) || err != nil || token != json.Delim('{') {
		return "", false
	}
	for dec.More() {
		key, err := dec.Token()
		var next json.RawMessage
		if err != nil || dec.Decode(&next) != nil {
			return "", false
		}
		switch {
		case key != name:
		case value == "" || value == string(next):
			value = string(next)
		default:
			value = "several"
		}
	}
	return value, true
}

// odd are bodies that readers have failed on, here or elsewhere.
func odd() []string {
	return []string{
		`{"success":true}`, `{"success":false}`, "\r\n\t {\n \"success\" : true \n}", `{"success":true,"success":true}`, `[{"success":true}]`,
		`{"success":true,"queue":{"success":false}}`, `{"queue":{"success":true}}`, `{"success":true,"Success":false}`, `{"successful":true}`,
		`{"success":"true"}`, `{"success":1}`, `{"success":true,"\u0073uccess":false}`, `{"success":true,"success":"false"}`, `{"succ`,
		`{"success" true}`, `{'success':true}`, `{"a":1}` + "\n" + `{"success":true}`, `{"success":true`, `{"success":tru`, `{"success":trueish}`,
		`{"success":true]`, `{"queue":{},"success":true}`, `{"success":true,"success":false}`, `{"success":false,"success":true}`,
		`{"\u0073uccess":true}`, `{"Success":true}`, `{"success":null}`, `{"success":true}{"success":false}`, "null", "", "[]", "{", "\ufeff{}",
		`{"success":true,"queue":{"id":64324`, `{"success":true,"queue":{"id":1,"price":19.99}}`, `{"success":true,"queue":{"id":1,"price":{}}}`,
		`{"success":true,"queue":{"id":"x","text":"y"}}`, `{"success":true,"queue":[]}`, `{"success":true,"queue":{"price":}}`,
		`{"success":true,"queue":` + strings.Repeat("[", 200), `{"success":true,"queue":{"media":[{"id":1},{"id":2,"files":{"full":{"url":"x`,
		`{"success" : true , "queue" : {"releaseForms" : [ null , 1e400 ] } }`, `{"a":"\ud800","success":true}`,
		"{\"a\":\"\xff\",\"success\":true}",
	}
}
