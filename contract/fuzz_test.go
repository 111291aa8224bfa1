package contract_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/contract"
)

func FuzzReadCapture(f *testing.F) {
	v := newValidator(f)
	for _, seed := range []string{
		"", "{", `{"success":true}`, "null", "\xef\xbb\xbf{}", "\xff\xfeH\x00", "<html>",
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"success\":true}",
		"HTTP/2 200 \ncontent-type: application/json\n\n{\"success\":1}",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\n\r\n{}",
		"HTTP/1.1 302 Found\nLocation: /\n\nHTTP/3 204\n\n", "HTTP/1.1 200", "HTTP/1.1 OK\n", "HTTP/1.1 200 OK\nno header\n",
		"HTTP/2 200\ncontent-encoding: gzip\n\n\x1f\x8b\x08\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, capture []byte) {
		resp, err := contract.ReadCapture(bytes.NewReader(capture))
		if err != nil {
			if resp != nil || strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("%v with the error %q", resp, err)
			}
			return
		}
		wellFormed(t, v.CheckResponse(nil, resp))
		body, err := io.ReadAll(resp.Body)
		if err != nil || !bytes.HasSuffix(capture, body) {
			t.Errorf("the body %q is not the end of the capture %q (%v)", body, capture, err)
		}
		if resp.StatusCode < 100 || resp.StatusCode > 999 {
			t.Errorf("status %d", resp.StatusCode)
		}
	})
}

func FuzzCheckResponse(f *testing.F) {
	v := newValidator(f)
	for _, body := range []string{
		"", "null", "[]", `{"success":true}`, `{"success":1,"success":2}`, `{"success":true,"queue":{"id":1.0,"price":1e999}}`,
		`{"error":"x","details":[{}]}`, testdata(f, "documented.json"), testdata(f, "wire.json"), "\xff", strings.Repeat("[", 200),
	} {
		f.Add(200, "application/json", "", []byte(body))
		f.Add(418, "text/html", "gzip", []byte(body))
	}
	f.Fuzz(func(t *testing.T, status int, contentType, encoding string, body []byte) {
		resp := newResponse(status, string(body))
		resp.Header.Set("Content-Type", contentType)
		resp.Header.Set("Content-Encoding", encoding)
		vs := v.CheckResponse(nil, resp)
		wellFormed(t, vs)
		wantRead(t, resp.Body, string(body))
		resp.Body = io.NopCloser(bytes.NewReader(body))
		if again := v.CheckResponse(nil, resp); !reflect.DeepEqual(again, vs) {
			t.Errorf("got %v and then %v", vs, again)
		}
	})
}

func FuzzCheckRequest(f *testing.F) {
	v := newValidator(f)
	for _, path := range []string{
		"/v2/access/chats/7/messages/9", "/v2/access/chats/../messages/9", "/v2/access/chats/%2e%2e/messages/%2F", "/v2/access/chats//messages/", "", "*",
	} {
		f.Add(http.MethodDelete, path, "sk_sandbox_x", "conn_x", []byte(documentedRequest))
	}
	f.Add("", "/", " ", "", []byte(`{"withUserId":[]}`))
	meets := regexp.MustCompile(`^/v2/access/chats/[A-Za-z0-9_-]{1,64}/messages/[A-Za-z0-9_-]{1,64}$`)
	f.Fuzz(func(t *testing.T, method, path, key, connection string, body []byte) {
		u, err := url.Parse(path)
		if err != nil {
			return // net/http would not have let it through
		}
		req := &http.Request{Method: method, URL: u, Body: io.NopCloser(bytes.NewReader(body)), Header: http.Header{
			"Content-Type": {"application/json"}, "Apikey": {key}, "X-Connection-Id": {connection},
		}}
		vs := v.CheckRequest(req)
		wellFormed(t, vs)
		wantRead(t, req.Body, string(body))
		ok := method == http.MethodDelete && meets.MatchString(u.Path) && strings.TrimSpace(key) != "" && strings.TrimSpace(connection) != ""
		if len(vs) == 0 && !ok {
			t.Errorf("%q %q passes", method, path)
		}
	})
}

// wellFormed holds of every list of violations: complete, one for each place, on one line.
func wellFormed(t *testing.T, vs []contract.Violation) {
	t.Helper()
	seen := map[string]bool{}
	for _, v := range vs {
		if v.Kind == "" || v.Found == "" || v.Want == "" || seen[v.Pointer] || strings.ContainsAny(v.String(), "\r\n") {
			t.Errorf("violation %#v in %v", v, vs)
		}
		seen[v.Pointer] = true
	}
}
