package contract_test

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/contract"
)

const (
	mib = 1 << 20

	documentedRequest = `{"withUserId": "51234567"}`
	documentedError   = `{"error":"Message not found","type":"RESOURCE_NOT_FOUND","requestId":"req_8f14e45fceea"}`
)

// newValidator checks against testdata/openapi.yaml.
func newValidator(t testing.TB) *contract.Validator {
	t.Helper()
	v, err := contract.New(fixedContract(t))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// fixedContract is testdata/openapi.yaml, which does not change with the service.
func fixedContract(t testing.TB) contract.Option {
	t.Helper()
	return contract.WithDocument([]byte(testdata(t, "openapi.yaml")))
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

// requestTo keeps the path as it is written, escapes included.
func requestTo(t testing.TB, method, path string) *http.Request {
	t.Helper()
	req := newRequest(t, documentedRequest)
	u, err := url.Parse("http://127.0.0.1:4010" + path)
	if err != nil {
		t.Fatal(err)
	}
	req.Method, req.URL = method, u
	return req
}

// newResponse is a response to the unsend operation, in JSON.
func newResponse(status int, body string) *http.Response {
	return &http.Response{
		Request:    unsendRequest(),
		StatusCode: status,
		Header:     http.Header{"Content-Type": {"application/json"}},
		Body:       io.NopCloser(strings.NewReader(body)),
	}
}

func unsendRequest() *http.Request {
	return &http.Request{Method: http.MethodDelete, URL: &url.URL{Path: "/v2/access/chats/51234567/messages/6432457811894"}}
}

func testdata(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
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

func wantLines(t testing.TB, vs []contract.Violation, want ...string) {
	t.Helper()
	var got []string
	for _, v := range vs {
		got = append(got, v.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func wantRead(t testing.TB, r io.Reader, want string) {
	t.Helper()
	got, err := io.ReadAll(r)
	if err != nil || string(got) != want {
		t.Errorf("read %d bytes %.40q and %v, want %d %.40q", len(got), got, err, len(want), want)
	}
}

// wantAllocated fails where work allocates more than limit bytes in all. Tests that ask for it
// do not run in parallel.
func wantAllocated(t testing.TB, limit uint64, work func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	work()
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > limit {
		t.Errorf("%d MiB allocated", grown/mib)
	}
}
