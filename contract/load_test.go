package contract

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/internal/spec"
)

// edited loads the contract with one passage replaced, as a later edit of it may.
func edited(t *testing.T, old, replacement string) (*Validator, error) {
	t.Helper()
	text := string(spec.Document)
	if strings.Count(text, old) != 1 {
		t.Fatalf("the contract has %q %d times, want once", old, strings.Count(text, old))
	}
	return load([]byte(strings.Replace(text, old, replacement, 1)))
}

func mustEdit(t *testing.T, old, replacement string) *Validator {
	t.Helper()
	v, err := edited(t, old, replacement)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func answer(body string, header ...string) *http.Response {
	resp := &http.Response{
		StatusCode: http.StatusOK,
		Header:     http.Header{"Content-Type": {"application/json"}},
		Body:       io.NopCloser(strings.NewReader(body)),
	}
	for pair := range slices.Chunk(header, 2) {
		resp.Header.Set(pair[0], pair[1])
	}
	return resp
}

func request(t *testing.T, method, path string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(method, "http://127.0.0.1"+path, strings.NewReader(`{"withUserId":"1"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"Content-Type": {"application/json"}, "Apikey": {"k"}, "X-Connection-Id": {"c"}}
	return req
}

func want(t *testing.T, vs []Violation, lines ...string) {
	t.Helper()
	var got []string
	for _, v := range vs {
		got = append(got, v.String())
	}
	if strings.Join(got, "\n") != strings.Join(lines, "\n") {
		t.Errorf("got %q, want %q", got, lines)
	}
}

func TestUnsoundContractIsRefused(t *testing.T) {
	for name, document := range map[string]string{
		"empty":        "",
		"not YAML":     "openapi: [",
		"another file": "name: x",
		"no paths":     "openapi: 3.0.3\ninfo: {title: x, version: '1'}\npaths: {}\n",
		"unresolved":   strings.Replace(string(spec.Document), "schemas/Queue'", "schemas/None'", 1),
	} {
		v, err := load([]byte(document))
		if err == nil || v != nil {
			t.Errorf("%s: loaded", name)
		} else if !strings.HasPrefix(err.Error(), "contract ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLaterEditsOfTheContractAreHeldToo(t *testing.T) {
	t.Run("an integer header", func(t *testing.T) {
		v := mustEdit(t, "description: Requests left in the connection's token bucket.\n      schema:\n        type: string",
			"description: Requests left.\n      required: true\n      schema:\n        type: integer\n        minimum: 0")
		want(t, v.CheckResponse(nil, answer(`{"success":true}`)), "response header:X-RateLimit-Remaining: found nothing, want an integer")
		want(t, v.CheckResponse(nil, answer(`{"success":true}`, "X-RateLimit-Remaining", "many")), "response header:X-RateLimit-Remaining: found a string of 4 characters, want an integer")
		want(t, v.CheckResponse(nil, answer(`{"success":true}`, "X-RateLimit-Remaining", "-1")), "response header:X-RateLimit-Remaining: found a string of 2 characters, want an integer")
		want(t, v.CheckResponse(nil, answer(`{"success":true}`, "X-RateLimit-Remaining", "89")))
	})
	t.Run("a bound", func(t *testing.T) {
		v := mustEdit(t, "description: counts the attached media.\n", "description: counts.\n          minimum: 0\n")
		want(t, v.CheckResponse(nil, answer(`{"success":true,"queue":{"id":1,"mediaCount":-1}}`)),
			"response /queue/mediaCount: found the number -1, want an integer, within its minimum")
	})
	t.Run("an allOf", func(t *testing.T) {
		v := mustEdit(t, "fromUser:\n          $ref: '#/components/schemas/Sender'",
			"fromUser:\n          allOf:\n            - $ref: '#/components/schemas/Sender'\n            - {type: object, required: [id]}")
		want(t, v.CheckResponse(nil, answer(`{"success":true,"queue":{"id":1,"fromUser":{"name":7}}}`)),
			"response /queue/fromUser/id: found nothing, want an integer of 64 bits",
			"response /queue/fromUser/name: found the number 7, want a string")
		want(t, v.CheckResponse(nil, answer(`{"success":true,"queue":{"id":1,"fromUser":{"id":1.0}}}`)),
			"response /queue/fromUser/id: found the number 1.0, want an integer of 64 bits")
	})
	t.Run("a whole union", func(t *testing.T) {
		v := mustEdit(t, "    PriceNumber:\n      type: number\n      format: double", "    PriceNumber:\n      type: integer\n      format: int32")
		for _, literal := range []string{"1.0", "2147483648", "1e1"} {
			want(t, v.CheckResponse(nil, answer(`{"success":true,"queue":{"id":1,"price":`+literal+`}}`)),
				"response /queue/price: found the number "+literal+", want a string, or an integer of 32 bits")
		}
		want(t, v.CheckResponse(nil, answer(`{"success":true,"queue":{"id":1,"price":2147483647}}`)))
	})
	t.Run("a listed class of statuses", func(t *testing.T) {
		v := mustEdit(t, "        default:\n", "        5XX:\n          $ref: '#/components/responses/OtherError'\n        default:\n")
		resp := answer(`{"error":"x"}`)
		resp.StatusCode = 599
		want(t, v.CheckResponse(nil, resp))
	})
	t.Run("no default", func(t *testing.T) {
		v := mustEdit(t, "        default:\n          $ref: '#/components/responses/OtherError'\n", "")
		resp := answer(`{"error":7}`)
		resp.StatusCode = http.StatusTeapot
		want(t, v.CheckResponse(nil, resp), "response status: found status 418, want one of 200 400 401 403 404 422 429 500 502 503 504")
	})
	t.Run("either credential", func(t *testing.T) {
		v := mustEdit(t, "  - apiKey: []\n    connectionId: []\n", "  - apiKey: []\n    connectionId: []\n  - apiKey: []\n")
		req := request(t, http.MethodDelete, "/v2/access/chats/7/messages/9")
		req.Header.Del("X-Connection-Id")
		want(t, v.CheckRequest(req))
		req.Header.Del("Apikey")
		want(t, v.CheckRequest(req), "request header:apiKey: found nothing, want a credential")
	})
	t.Run("a parameter of the path", func(t *testing.T) {
		v := mustEdit(t, "    delete:\n      operationId", "    parameters:\n      - {name: page, in: query, required: true, schema: {type: integer}}\n    delete:\n      operationId")
		want(t, v.CheckRequest(request(t, http.MethodDelete, "/v2/access/chats/7/messages/9")), "request query:page: found nothing, want an integer")
		want(t, v.CheckRequest(request(t, http.MethodDelete, "/v2/access/chats/7/messages/9?page=two")), "request query:page: found a string of 3 characters, want an integer")
		want(t, v.CheckRequest(request(t, http.MethodDelete, "/v2/access/chats/7/messages/9?page=2")))
	})
	t.Run("a second method", func(t *testing.T) {
		v := mustEdit(t, "    delete:\n      operationId", "    put:\n      operationId: a\n      parameters:\n        - $ref: '#/components/parameters/UserID'\n        - $ref: '#/components/parameters/MessageID'\n      responses: {'200': {description: x}}\n    delete:\n      operationId")
		for _, method := range []string{http.MethodPut, http.MethodDelete} {
			want(t, v.CheckRequest(request(t, method, "/v2/access/chats/7/messages/9")))
		}
		want(t, v.CheckRequest(request(t, http.MethodGet, "/v2/access/chats/7/messages/9")), "request method: found GET, want DELETE")
	})
	t.Run("a second operation", func(t *testing.T) {
		const second = `  /v2/access/chats/{userId}:
    get:
      operationId: readChat
      security: []
      parameters:
        - $ref: '#/components/parameters/UserID'
      responses:
        '204':
          description: Nothing.
`
		v := mustEdit(t, "paths:\n", "paths:\n"+second)
		chat := request(t, http.MethodGet, "/v2/access/chats/7")
		chat.Header = http.Header{}
		want(t, v.CheckRequest(chat))
		resp := answer("")
		resp.StatusCode = http.StatusNoContent
		want(t, v.CheckResponse(chat, resp))
		unsendRequest := request(t, http.MethodDelete, "/v2/access/chats/7/messages/9")
		want(t, v.CheckRequest(unsendRequest))
		want(t, v.CheckResponse(unsendRequest, answer(`{"success":1}`)), "response /success: found the number 1, want true or false")
		want(t, v.CheckResponse(nil, answer(`{"success":1}`)), "response /success: found the number 1, want true or false")
		chat.Method = http.MethodDelete
		want(t, v.CheckRequest(chat), "request method: found DELETE, want GET")
	})
}

func TestLoadingChangesNoSpecOfTheCaller(t *testing.T) {
	before := string(spec.Document)
	if _, err := New(); err != nil {
		t.Fatal(err)
	}
	if string(spec.Document) != before {
		t.Error("the embedded contract changed")
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
