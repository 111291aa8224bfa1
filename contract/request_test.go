package contract_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// The heads that a request made in Go can have besides those of testdata.
func TestRequestHeads(t *testing.T) {
	v := newValidator(t)
	for name, row := range map[string]struct {
		edit func(*http.Request)
		want []string
	}{
		"another host":            {edit: func(r *http.Request) { r.URL.Host, r.Host = "api.ofauth.com", "" }},
		"no host, as servers see": {edit: func(r *http.Request) { r.URL.Host, r.URL.Scheme = "", "" }},
		"credentials in any case": {edit: func(r *http.Request) {
			r.Header = http.Header{"apiKey": {"k"}, "x-connection-id": {"c"}, "content-type": {"application/json"}}
		}},
		"no URL": {func(r *http.Request) { r.URL = nil }, []string{"path"}},
	} {
		req := newRequest(t, documentedRequest)
		row.edit(req)
		t.Run(name, func(t *testing.T) { wantPointers(t, v.CheckRequest(req), row.want...) })
	}
	wantPointers(t, v.CheckRequest(nil), "")
}

func TestRequestWithGetBodyKeepsItsBodyUnread(t *testing.T) {
	t.Parallel()
	v := newValidator(t)
	req := newRequest(t, documentedRequest)
	body := req.Body
	wantPointers(t, v.CheckRequest(req))
	if req.Body != body {
		t.Error("Body was replaced")
	}
	wantRead(t, req.Body, documentedRequest)
	wantPointers(t, v.CheckRequest(req)) // also once it was sent

	req.GetBody = func() (io.ReadCloser, error) { return nil, errors.New("no more") }
	req.Body = io.NopCloser(strings.NewReader(documentedRequest))
	wantPointers(t, v.CheckRequest(req))
	wantRead(t, req.Body, documentedRequest)
	if got := fmt.Sprint(v.CheckRequest(req)); !strings.Contains(got, "a body that was read before") {
		t.Errorf("after it was sent: %s; want that its body was read before", got)
	}
}
