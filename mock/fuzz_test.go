package mock_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/contract"
	"github.com/unsend-go/unsend/mock"
)

// Whatever comes, the answer honors the contract and is no failure of the server's.
func FuzzHandler(f *testing.F) {
	const good = "/v2/access/chats/7/messages/9"
	f.Add("DELETE", good, mock.DemoKey, mock.DemoConnection, "application/json", []byte(`{"withUserId":"7"}`))
	f.Add("DELETE", good, mock.DemoKey, mock.DemoConnection, "application/json; charset=utf-8", []byte(`{"withUserId":7}`))
	f.Add("DELETE", good, mock.DemoKey, mock.DemoConnection, "text/html", []byte("\xff\x00"))
	f.Add("DELETE", "/v2/access/chats/%2e%2e/messages/%00", mock.DemoKey, mock.DemoConnection, "application/json", []byte("[]"))
	f.Add("DELETE", "/v2/access/chats/../messages/9", "", "", "", []byte(nil))
	f.Add("DELETE", "//", "x", "y", "z", []byte("{"))
	f.Add("PATCH", good+"?a=%zz", "", mock.DemoConnection, "", []byte("null"))
	f.Add("CONNECT", "host:443", mock.DemoKey, "", "", []byte(`{"withUserId":1e400}`))
	f.Add("OPTIONS", "*", mock.DemoKey, "", "", []byte(`{"withUserId":"7","withUserId":8}`))
	validator, err := contract.New()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, method, target, key, connection, contentType string, body []byte) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return // net/http answers these itself
		}
		server := mock.New()
		req := (&http.Request{Method: method, URL: u, RequestURI: target, Host: "mock", Header: http.Header{}}).WithContext(t.Context())
		req.Body = io.NopCloser(bytes.NewReader(body))
		req.Header.Set("apiKey", key)
		req.Header.Set("x-connection-id", connection)
		req.Header.Set("Content-Type", contentType)
		rec := httptest.NewRecorder()
		server.ServeHTTP(rec, req)
		resp := rec.Result()
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode >= 500 || resp.StatusCode/100 == 3 {
			t.Errorf("%s %q answers %d", method, target, resp.StatusCode)
		}
		judged := httptest.NewRequestWithContext(t.Context(), http.MethodDelete, good, nil)
		for _, v := range validator.CheckResponse(judged, resp) {
			t.Errorf("%s %q: %s", method, target, v)
		}
		if acted := server.Counts().Unsent == 1; acted != (resp.StatusCode == http.StatusOK) {
			t.Errorf("%s %q answers %d, acted %v", method, target, resp.StatusCode, acted)
		}
		if resp.StatusCode == http.StatusOK {
			req.Body = io.NopCloser(bytes.NewReader(body))
			for _, v := range validator.CheckRequest(req) {
				t.Errorf("carried out, although %s", v)
			}
		}
		if key == mock.DemoKey && strings.Contains(rec.Body.String(), key) {
			t.Errorf("the key is in the answer: %s", rec.Body)
		}
	})
}
