package contract_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/contract"
)

func TestUnsoundContractIsRefused(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]string{
		"empty":        "",
		"not YAML":     "openapi: [",
		"another file": "name: x",
		"no paths":     "openapi: 3.0.3\ninfo: {title: x, version: '1'}\npaths: {}\n",
		"unresolved":   strings.Replace(testdata(t, "openapi.yaml"), "schemas/Queue'", "schemas/None'", 1),
	} {
		v, err := contract.New(contract.WithDocument([]byte(document)))
		if err == nil || v != nil {
			t.Errorf("%s: loaded", name)
		} else if !strings.HasPrefix(err.Error(), "contract ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// longer is the contract with more operations: one whose responses look like nothing else, and two of
// one path and without credentials. Its template would match their plain path too.
func longer(t *testing.T, opts ...contract.Option) (*contract.Validator, error) {
	t.Helper()
	document := strings.Replace(testdata(t, "openapi.yaml"), "paths:\n", `paths:
  /v2/access/chats/mine/messages:
    get: {operationId: listMine, security: [], responses: {'200': {description: Messages.}}}
    put: {operationId: sortMine, security: [], responses: {'202': {description: Sorted later.}}}
  /v2/access/chats/{userId}/messages:
    get:
      operationId: listChatMessages
      parameters:
        - {name: userId, in: path, required: true, schema: {$ref: '#/components/schemas/ID'}}
      responses:
        '200':
          description: Messages.
          content:
            application/json:
              schema: {type: object, required: [list], properties: {list: {type: array, items: {$ref: '#/components/schemas/Queue'}}}}
`, 1)
	return contract.New(append(opts, contract.WithDocument([]byte(document)))...)
}

func TestResponseIsCheckedAgainstItsOperation(t *testing.T) {
	t.Parallel()
	list := func() *http.Response {
		resp := newResponse(http.StatusOK, `{"list":[]}`)
		resp.Request = nil
		return resp
	}
	listRequest, elsewhere := requestTo(t, http.MethodGet, "/v2/access/chats/7/messages"), requestTo(t, http.MethodGet, "/elsewhere")
	const missing = "response /success: found nothing, want true or false"
	const notListed = "response status: found status 200, want one of 202"
	const several = "response operation: found no known operation, want one of listMine sortMine listChatMessages unsendChatMessage"
	for name, row := range map[string]struct {
		opts []contract.Option
		req  *http.Request
		want []string
	}{
		"its request's":                       {nil, listRequest, nil},
		"of another request":                  {nil, newRequest(t, documentedRequest), []string{missing}},
		"no request":                          {nil, nil, []string{several}},
		"of no operation":                     {nil, elsewhere, []string{several}},
		"no request, named":                   {[]contract.Option{contract.ForOperation("listChatMessages")}, nil, nil},
		"no request, the first named":         {[]contract.Option{contract.ForOperation("listMine")}, nil, nil},
		"another method of its path":          {nil, requestTo(t, http.MethodPut, "/v2/access/chats/mine/messages"), []string{notListed}},
		"no request, another named":           {[]contract.Option{contract.ForOperation("unsendChatMessage")}, nil, []string{missing}},
		"of no operation, named":              {[]contract.Option{contract.ForOperation("listChatMessages")}, elsewhere, nil},
		"the request is stronger than a name": {[]contract.Option{contract.ForOperation("unsendChatMessage")}, listRequest, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, err := longer(t, row.opts...)
			if err != nil {
				t.Fatal(err)
			}
			wantLines(t, v.CheckResponse(row.req, list()), row.want...)
		})
	}
	v, err := longer(t)
	if err != nil {
		t.Fatal(err)
	}
	for path, missing := range map[string][]string{"7": {"header:apiKey", "header:x-connection-id"}, "mine": nil} {
		req := requestTo(t, http.MethodGet, "/v2/access/chats/"+path+"/messages")
		req.Header = nil
		wantPointers(t, v.CheckRequest(req), missing...)
	}
	// With a single operation, nothing has to be named.
	wantPointers(t, newValidator(t).CheckResponse(nil, list()), "/success")
}

// Each operation of own.yaml lists another status.
func TestOperationOfARequest(t *testing.T) {
	t.Parallel()
	v, err := contract.New(contract.WithDocument([]byte(testdata(t, "own.yaml"))), contract.ForOperation("head"))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/chats/7": "chat", "/chats/mine": "mine", "/files/a.tar": "file", "/a/b/x": "left", "/a/b/y": "right", "/base/later": "GET /later", "/": "",
	} {
		req := requestTo(t, http.MethodGet, path)
		if id, params := v.Operation(req); id != want || want == "right" && params["z"] != "y" {
			t.Errorf("%s is of %q, with %q, want %s", path, id, params, want)
		}
	}
	wantLines(t, v.CheckResponse(nil, &http.Response{StatusCode: http.StatusOK})) // to HEAD has no body
}

func TestOptionsAreRefused(t *testing.T) {
	t.Parallel()
	_, err := longer(t, contract.ForOperation("unsend"))
	want := `contract has no operation "unsend": name one of listMine, sortMine, listChatMessages, unsendChatMessage`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := contract.New(nil); err == nil {
		t.Error("a nil option is accepted")
	}
	req, closed := newRequest(t, documentedRequest), 0
	req.Body = &countingCloser{http.NoBody, &closed}
	_, err = contract.Transport(nil, func([]contract.Violation) {}, contract.ForOperation("unsend")).RoundTrip(req)
	if err == nil || !strings.Contains(err.Error(), `no operation "unsend"`) || closed != 1 {
		t.Errorf("%v, and the body is closed %d times; want an error, and once", err, closed)
	}
	unnamed := strings.Replace(testdata(t, "openapi.yaml"), "      operationId: unsendChatMessage\n", "", 1)
	v, err := contract.New(contract.WithDocument([]byte(unnamed)))
	if err != nil {
		t.Fatal(err)
	}
	if got := v.Operations(); !slices.Equal(got, []string{"DELETE " + unsendPath}) {
		t.Errorf("an operation without an id is called %q", got)
	}
}
