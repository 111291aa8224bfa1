package contract_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/contract"
)

func TestRequestHeads(t *testing.T) {
	v := newValidator(t)
	for name, row := range map[string]struct {
		edit func(*http.Request)
		want []string // pointers
		kind string   // of the first
	}{
		"as documented":           {edit: func(*http.Request) {}},
		"another host":            {edit: func(r *http.Request) { r.URL.Host, r.Host = "api.ofauth.com", "" }},
		"no host, as servers see": {edit: func(r *http.Request) { r.URL.Host, r.URL.Scheme = "", "" }},
		"a query":                 {edit: func(r *http.Request) { r.URL.RawQuery = "trace=1" }},
		"further headers":         {edit: func(r *http.Request) { r.Header.Set("User-Agent", "test") }},
		"credentials in any case": {edit: func(r *http.Request) {
			r.Header = http.Header{"apiKey": {"k"}, "x-connection-id": {"c"}, "Content-Type": {"application/json"}}
		}},
		"a media type with a parameter": {edit: func(r *http.Request) { r.Header.Set("Content-Type", "Application/JSON; charset=utf-8") }},

		"no key":         {func(r *http.Request) { r.Header.Del("apiKey") }, []string{"header:apiKey"}, "missing"},
		"an empty key":   {func(r *http.Request) { r.Header.Set("apiKey", "") }, []string{"header:apiKey"}, "string"},
		"a blank key":    {func(r *http.Request) { r.Header.Set("apiKey", " \t") }, []string{"header:apiKey"}, "string"},
		"no connection":  {func(r *http.Request) { r.Header.Del("x-connection-id") }, []string{"header:x-connection-id"}, "missing"},
		"an empty one":   {func(r *http.Request) { r.Header.Set("x-connection-id", "") }, []string{"header:x-connection-id"}, "string"},
		"no credential":  {func(r *http.Request) { r.Header = http.Header{"Content-Type": {"application/json"}} }, []string{"header:apiKey", "header:x-connection-id"}, "missing"},
		"two empty ones": {func(r *http.Request) { r.Header.Set("apiKey", ""); r.Header.Set("x-connection-id", "") }, []string{"header:apiKey", "header:x-connection-id"}, "string"},
		"key as bearer": {func(r *http.Request) {
			r.Header.Del("apiKey")
			r.Header.Set("Authorization", "Bearer k")
		}, []string{"header:apiKey"}, "missing"},

		"GET":             {func(r *http.Request) { r.Method = http.MethodGet }, []string{"method"}, "string"},
		"POST":            {func(r *http.Request) { r.Method = http.MethodPost }, []string{"method"}, "string"},
		"HEAD":            {func(r *http.Request) { r.Method = http.MethodHead }, []string{"method"}, "string"},
		"no method":       {func(r *http.Request) { r.Method = "" }, []string{"method"}, "string"},
		"lower case":      {func(r *http.Request) { r.Method = "delete" }, []string{"method"}, "string"},
		"another method":  {func(r *http.Request) { r.Method = "UNSEND" }, []string{"method"}, "string"},
		"another path":    {func(r *http.Request) { r.URL.Path = "/v2/access/chats/7/message/9" }, []string{"path"}, "string"},
		"another version": {func(r *http.Request) { r.URL.Path = "/v1/access/chats/7/messages/9" }, []string{"path"}, "string"},
		"a slash behind":  {func(r *http.Request) { r.URL.Path += "/" }, []string{"path"}, "string"},
		"too short":       {func(r *http.Request) { r.URL.Path = "/v2/access/chats/7/messages" }, []string{"path"}, "string"},
		"no path":         {func(r *http.Request) { r.URL.Path = "" }, []string{"path"}, "string"},
		"no URL":          {func(r *http.Request) { r.URL = nil }, []string{"path"}, "string"},
		"path and method": {func(r *http.Request) { r.URL.Path, r.Method = "/", http.MethodGet }, []string{"method", "path"}, "string"},

		"no media type":      {func(r *http.Request) { r.Header.Del("Content-Type") }, []string{"header:Content-Type"}, "missing"},
		"curl's media type":  {func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, []string{"header:Content-Type"}, "string"},
		"text":               {func(r *http.Request) { r.Header.Set("Content-Type", "text/json") }, []string{"header:Content-Type"}, "string"},
		"a malformed type":   {func(r *http.Request) { r.Header.Set("Content-Type", "json") }, []string{"header:Content-Type"}, "string"},
		"problem json":       {func(r *http.Request) { r.Header.Set("Content-Type", "application/problem+json") }, []string{"header:Content-Type"}, "string"},
		"everything at once": {everythingWrong, []string{"method", "path", "header:Content-Type", "header:apiKey", "header:x-connection-id"}, "string"},
	} {
		t.Run(name, func(t *testing.T) {
			req := newRequest(t, documentedRequest)
			row.edit(req)
			vs := v.CheckRequest(req)
			wantPointers(t, vs, row.want...)
			if len(vs) > 0 && vs[0].Kind != row.kind {
				t.Errorf("kind %q, want %q", vs[0].Kind, row.kind)
			}
			for _, v := range vs {
				if v.Side != contract.Request {
					t.Errorf("side %q", v.Side)
				}
			}
		})
	}
}

func everythingWrong(r *http.Request) {
	r.Method, r.URL.Path, r.Header = http.MethodPut, "/v2/access/chats", http.Header{"Content-Type": {"text/plain"}}
}

func TestIDsInThePath(t *testing.T) {
	v := newValidator(t)
	for _, id := range []string{"7", "6432457811894", "a", "_-", "Az09", strings.Repeat("9", 64), "%37"} {
		for _, path := range []string{"/v2/access/chats/" + id + "/messages/9", "/v2/access/chats/7/messages/" + id} {
			wantPointers(t, v.CheckRequest(requestTo(t, path)))
		}
	}
	for name, id := range map[string]string{
		"empty": "", "dot": ".", "dots": "..", "encoded dots": "%2e%2e", "slash": "%2F", "path": "1%2f..%2f2",
		"backslash": "%5c", "question mark": "%3F", "hash": "%23", "percent": "%25", "twice encoded": "%252e",
		"space": "%20", "plus": "1+1", "newline": "1%0A", "NUL": "%00", "not ASCII": "%C3%A9", "not UTF-8": "%ff",
		"too long": strings.Repeat("9", 65), "far too long": strings.Repeat("9", 10_000), "colon": "1:2", "comma": "1,2",
		"template": "%7BuserId%7D", "placeholder": ":userId",
	} {
		t.Run(name, func(t *testing.T) {
			wantPointers(t, v.CheckRequest(requestTo(t, "/v2/access/chats/"+id+"/messages/9")), "path:userId")
			wantPointers(t, v.CheckRequest(requestTo(t, "/v2/access/chats/7/messages/"+id)), "path:messageId")
			wantPointers(t, v.CheckRequest(requestTo(t, "/v2/access/chats/"+id+"/messages/"+id)), "path:messageId", "path:userId")
		})
	}
}

// requestTo keeps the path as it is written, escapes included.
func requestTo(t *testing.T, path string) *http.Request {
	t.Helper()
	req := newRequest(t, documentedRequest)
	u, err := url.Parse("http://127.0.0.1:4010" + path)
	if err != nil {
		t.Fatal(err)
	}
	req.URL = u
	return req
}

func TestRequestBodies(t *testing.T) {
	v := newValidator(t)
	for name, row := range map[string]struct {
		body string
		want []string
	}{
		"string":              {`{"withUserId":"51234567"}`, nil},
		"number":              {`{"withUserId":51234567}`, nil},
		"further members":     {`{"withUserId":1,"note":{"withUserId":[]}}`, nil},
		"none":                {``, []string{""}},
		"blank":               {" \n", []string{""}},
		"null":                {`null`, []string{""}},
		"array":               {`[]`, []string{""}},
		"string alone":        {`"51234567"`, []string{""}},
		"no member":           {`{}`, []string{"/withUserId"}},
		"another case":        {`{"withuserid":"1"}`, []string{"/withUserId"}},
		"empty":               {`{"withUserId":""}`, []string{"/withUserId"}},
		"a fraction":          {`{"withUserId":1.5}`, []string{"/withUserId"}},
		"written as fraction": {`{"withUserId":1.0}`, []string{"/withUserId"}},
		"past 64 bits":        {`{"withUserId":9223372036854775808}`, []string{"/withUserId"}},
		"twice":               {`{"withUserId":"1","withUserId":"2"}`, []string{"/withUserId"}},
		"cut":                 {`{"withUserId":"5`, []string{""}},
		"form":                {`withUserId=51234567`, []string{""}},
		"single quotes":       {`{'withUserId':'1'}`, []string{""}},
		"a comma too many":    {`{"withUserId":"1",}`, []string{""}},
		"two values":          {`{"withUserId":"1"}{"withUserId":"1"}`, []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			wantPointers(t, v.CheckRequest(newRequest(t, row.body)), row.want...)

			seenByServer := httptest.NewRequest(http.MethodDelete, "/v2/access/chats/7/messages/9", strings.NewReader(row.body))
			seenByServer.Header = newRequest(t, "").Header
			wantPointers(t, v.CheckRequest(seenByServer), row.want...)
		})
	}
	bare := newRequest(t, "")
	bare.Body, bare.GetBody = nil, nil
	wantPointers(t, v.CheckRequest(bare), "")
	bare.Body = http.NoBody
	wantPointers(t, v.CheckRequest(bare), "")
	wantPointers(t, v.CheckRequest(nil), "")
}

func TestWrongTypeDoesNotHideTheBody(t *testing.T) {
	req := newRequest(t, `{"withUserId":null}`)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	wantPointers(t, newValidator(t).CheckRequest(req), "header:Content-Type", "/withUserId")
}
