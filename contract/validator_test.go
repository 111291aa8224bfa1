package contract_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/contract"
)

const documentedRequest = `{"withUserId": "51234567"}`

func newValidator(t testing.TB) *contract.Validator {
	t.Helper()
	v, err := contract.New()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// newRequest is a request that meets the contract, on a loopback host.
func newRequest(t testing.TB, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(http.MethodDelete,
		"http://127.0.0.1:4010/v2/access/chats/51234567/messages/6432457811894", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("apiKey", "sk_sandbox_contract")
	req.Header.Set("x-connection-id", "conn_contract")
	return req
}

// newResponse is a response of the contract's media type.
func newResponse(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status,
		Header:     http.Header{"Content-Type": {"application/json"}},
		Body:       io.NopCloser(strings.NewReader(body)),
	}
}

func testdata(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile("../testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func pointers(vs []contract.Violation) []string {
	var all []string
	for _, v := range vs {
		all = append(all, v.Pointer)
	}
	return all
}

func wantPointers(t testing.TB, vs []contract.Violation, want ...string) {
	t.Helper()
	if !slices.Equal(pointers(vs), want) {
		t.Errorf("pointers %q, want %q; violations: %v", pointers(vs), want, vs)
	}
}

func TestDocumentedExchangePasses(t *testing.T) {
	v := newValidator(t)
	for _, req := range []*http.Request{
		newRequest(t, documentedRequest),
		newRequest(t, `{"withUserId": 51234567}`),
		httptest.NewRequest(http.MethodDelete, "/v2/access/chats/7/messages/9", strings.NewReader(documentedRequest)),
	} {
		req.Header = newRequest(t, "").Header
		wantPointers(t, v.CheckRequest(req))
		wantPointers(t, v.CheckResponse(req, newResponse(http.StatusOK, testdata(t, "documented.json"))))
	}
}
