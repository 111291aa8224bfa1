package mock

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/contract"
)

// What is accepted without asking the validator, the validator accepts.
func FuzzPlainlySoundIsSound(f *testing.F) {
	f.Add("7", "9", "application/json", "", `{"withUserId":"7"}`)
	f.Add("a_-", "Z", "application/json", "", " {\n\"withUserId\" :\t7 }\r\n")
	f.Add("7", "9", "application/json", "x=1", `{"withUserId":07}`)
	f.Add("7", "9", "application/json", "", `{"withUserId":"}`)
	f.Add("7", "9", "application/json", "", `{"withUserId":" 7 "}`)
	f.Add("7", "9", "application/json", "", `{"withUserId":123456789012345678}`)
	f.Add("7", "9", "text/plain", "", `{"withUserId":""}`)
	f.Add("", strings.Repeat("9", 65), "application/json", "", `{"withUserId":"7"`)
	f.Add("a/b", "a%2Fb", "application/json", "", `{"withUserId":"\u0037"}`)
	validator, err := contract.New()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, userID, messageID, contentType, query, body string) {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodDelete, "/v2/access/chats/7/messages/9", strings.NewReader(body))
		req.URL.Path = "/v2/access/chats/" + userID + "/messages/" + messageID
		req.URL.RawQuery = query
		req.Header.Set("Content-Type", contentType)
		req.Header.Set("apiKey", DemoKey)
		req.Header.Set("x-connection-id", DemoConnection)
		if !plainlySound(req, userID, messageID, []byte(body)) {
			return
		}
		for _, v := range validator.CheckRequest(req) {
			t.Errorf("accepted, although %s", v)
		}
	})
}

// The requests that clients send do not cost the validator.
func TestUsualRequestsArePlainlySound(t *testing.T) {
	for body, want := range map[string]bool{
		`{"withUserId":"51234567"}`:                true,
		`{"withUserId":51234567}`:                  true,
		"\n{\n\"withUserId\": \"51234567\"\n}\n":   true,
		`{"withUserId":"51234567","more":true}`:    false,
		`{"withUserId":"<string>"}`:                false,
		`{"withUserId":""}`:                        false,
		`{"withUserId":-1}`:                        false,
		`{"withUserId":`:                           false,
		``:                                         false,
		`{"withUserId":"7"}{"withUserId":"7"}`:     false,
		`{"withUserId":"7","withUserId":"7"}`:      false,
		`{"withUserId":1234567890123456789012345}`: false,
	} {
		if got := plainBody([]byte(body)); got != want {
			t.Errorf("%s: %v, want %v", body, got, want)
		}
	}
}
