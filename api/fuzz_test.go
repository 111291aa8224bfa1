package api_test

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/gen"
)

// odd are bodies that have been trouble, here or elsewhere.
func odd() []string {
	return []string{
		`{"success":true}`, `{"success":false}`, `{"success":true`, `{"success":tru`, `{"success":trueish}`, `{"success":true]`, `{"queue":{},"success":true}`,
		`{"success":true,"success":false}`, `{"success":false,"success":true}`, `{"\u0073uccess":true}`, `{"Success":true}`, `{"success":null}`,
		`{"success":true,"queue":{"id":64324`, `{"success":true,"queue":{"id":1,"price":19.99}}`, `{"success":true,"queue":{"id":1,"price":{}}}`,
		`{"success":true,"queue":{"id":"x","text":"y"}}`, `{"success":true,"queue":[]}`, `{"success":true}{"success":false}`, "null", "", "[]", "{", "\ufeff{}",
		`{"success":true,"queue":` + strings.Repeat("[", 200), `{"success":true,"queue":{"media":[{"id":1},{"id":2,"files":{"full":{"sources":[{"url":"x`,
		`{"success" : true , "queue" : {"releaseForms" : [ null , 1e400 ] } }`, `{"a":"\ud800","success":true}`, "{\"a\":\"\xff\",\"success\":true}", `{"success":true,"queue":{"price":}}`,
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

// FuzzQueue has any body whose success was read, whole and cut. What comes of it can be written
// as JSON again and reads the same, and is the same whether it is decoded at once or by parts.
func FuzzQueue(f *testing.F) {
	for _, body := range odd() {
		f.Add([]byte(body))
	}
	for _, name := range []string{"documented.json", "wire.json"} {
		var compact bytes.Buffer
		if err := json.Compact(&compact, snapshot(f, name)); err != nil {
			f.Fatal(err)
		}
		f.Add(compact.Bytes())
		f.Add(compact.Bytes()[:compact.Len()/2])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		result := &api.Result{Outcome: api.Unsent, Raw: body}
		queue, err := result.Queue()
		if err != nil {
			checkQueueError(t, err)
		}
		written, failed := json.Marshal(gen.UnsendResponse{Queue: queue})
		if failed != nil {
			t.Fatalf("%q gives a queue that is no JSON: %v", body, failed)
		}
		again := api.Result{Outcome: api.Unsent, Raw: written}
		if same, err := again.Queue(); err != nil || !reflect.DeepEqual(same, queue) {
			t.Fatalf("%q gives %+v, and that written and read again %+v, %v", body, queue, same, err)
		}
		parts, failed := api.QueueByParts(body)
		if !reflect.DeepEqual(parts, queue) || (failed == nil) != (err == nil) {
			t.Fatalf("%q: Queue gives %+v, %v, and by parts %+v, %v", body, queue, err, parts, failed)
		}
		if !bytes.Equal(result.Raw, body) {
			t.Fatal("Queue changed Raw")
		}
	})
}

// FuzzUnsend is a whole call, answered with any body and any status: it ends, and says unsent
// only where the status and success do.
func FuzzUnsend(f *testing.F) {
	for i, body := range odd() {
		f.Add([]byte(body), 200, i)
	}
	f.Add([]byte(`{"error":"No","type":"RESOURCE_NOT_FOUND"}`), 404, 1000)
	f.Add([]byte("<html>"), 502, 3)
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
		if err == nil && result.Outcome != api.Unsent {
			t.Fatalf("%d %q: %v", status, read, result.Outcome)
		}
	})
}

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// FuzzRetryAfter: no wait is below nothing, and what cannot be read is no hot retry.
func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"", "0", "1", "60", "-1", "+1", "1.5", "soon", "99999999999999999999", "9223372036854775807", "9223372036", " 7 ", "007", "０", "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Fri, 31 Dec 9999 23:59:59 GMT"} {
		f.Add(s, int64(784111777))
	}
	f.Fuzz(func(t *testing.T, s string, unix int64) {
		now := time.Unix(unix%(1<<36), 0)
		wait := api.ParseRetryAfter(http.Header{"Retry-After": {s}}, now)
		if wait < 0 {
			t.Fatalf("%q at %v: %v", s, now, wait)
		}
		digits := strings.TrimSpace(s)
		if wait > 0 && wait%time.Second != 0 && wait != math.MaxInt64 {
			t.Fatalf("%q at %v: %v is no whole number of seconds", s, now, wait)
		}
		if at, err := http.ParseTime(digits); err == nil && at.After(now) && wait != at.Sub(now) {
			t.Fatalf("%q at %v: %v, want %v", s, now, wait, at.Sub(now))
		}
		if _, err := http.ParseTime(digits); err != nil && strings.Trim(digits, "0123456789., \t") != "" && wait < time.Second {
			t.Fatalf("%q at %v: %v, of what cannot be read", s, now, wait)
		}
	})
}

// FuzzRateLimitHeaders: a count is -1 or a number that fits, and a reset is none or near now.
func FuzzRateLimitHeaders(f *testing.F) {
	for _, s := range []string{"", "0", "90", "-1", "2147483647", "2147483648", "99999999999999999999", "1.5", " 9 ", "1784111777", "31622400", "31622401", "1e9"} {
		f.Add(s, int64(1784111000))
	}
	f.Fuzz(func(t *testing.T, s string, unix int64) {
		if n := api.Count(s); n < -1 || n > math.MaxInt32 {
			t.Fatalf("%q is counted as %d", s, n)
		}
		const year = 366 * 24 * time.Hour
		now := time.Unix(unix%(1<<36), 0)
		if reset := api.ParseReset(s, now); !reset.IsZero() && (reset.Sub(now) > year || now.Sub(reset) > year) {
			t.Fatalf("%q at %v is %v", s, now, reset)
		}
	})
}
