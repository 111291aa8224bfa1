package contract_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/unsend-go/unsend/contract"
)

// edited loads the contract as an edit of it leaves it.
func edited(t testing.TB, edit func(doc *openapi3.T, unsend *openapi3.Operation)) *contract.Validator {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData([]byte(testdata(t, "openapi.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	edit(doc, doc.Paths.Value(unsendPath).Delete)
	document, err := doc.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	v, err := contract.New(contract.WithDocument(document))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func queueOf(unsend *openapi3.Operation) *openapi3.Schema {
	return unsend.Responses.Status(http.StatusOK).Value.Content["application/json"].Schema.Value.Properties["queue"].Value
}

func queueWith(member string) *http.Response {
	return newResponse(http.StatusOK, `{"success":true,"queue":{"id":1,`+member+`}}`)
}

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

func TestParametersAndHeaders(t *testing.T) {
	t.Parallel()
	v := edited(t, func(doc *openapi3.T, unsend *openapi3.Operation) {
		page := openapi3.NewQueryParameter("page").WithRequired(true).WithSchema(openapi3.NewIntegerSchema().WithMin(1))
		doc.Paths.Value(unsendPath).Parameters = openapi3.Parameters{{Value: page}}
		remaining := openapi3.Header{Parameter: openapi3.Parameter{Required: true, Schema: openapi3.NewIntegerSchema().NewRef()}}
		unsend.RequestBody.Value.Required = false
		unsend.Responses.Status(http.StatusOK).Value.Headers = openapi3.Headers{"X-RateLimit-Remaining": {Value: &remaining}}
	})
	for query, want := range map[string][]string{
		"":         {"request query:page: found nothing, want an integer"},
		"page=two": {"request query:page: found text of another form, want an integer"},
		"page=0":   {"request query:page: found the number 0, want an integer"},
		"page=2":   nil,
	} {
		req := newRequest(t, documentedRequest)
		req.URL.RawQuery = query
		req.Body, req.GetBody = nil, nil
		wantLines(t, v.CheckRequest(req), want...)
	}
	resp := newResponse(http.StatusOK, `{"success":1}`)
	wantPointers(t, v.CheckResponse(nil, resp), "header:X-RateLimit-Remaining", "/success")
	resp.Header.Set("X-RateLimit-Remaining", "many")
	wantPointers(t, v.CheckResponse(nil, resp), "header:X-RateLimit-Remaining", "/success")
	resp.Header.Set("X-RateLimit-Remaining", "89")
	wantPointers(t, v.CheckResponse(nil, resp), "/success")
}

func TestKeywordsOfSchemas(t *testing.T) {
	object, integer, text := openapi3.NewObjectSchema, openapi3.NewInt64Schema, openapi3.NewStringSchema
	closed := object().WithProperty("a", integer()).WithoutAdditionalProperties()
	person := object().WithProperty("name", text())
	required := object().WithRequired([]string{"name"})
	either := openapi3.NewOneOfSchema(text(), openapi3.NewInt32Schema())
	withID := object().WithProperty("id", integer()).WithRequired([]string{"id"})
	further := object().WithAdditionalProperties(integer())
	rows := []struct {
		name   string
		schema *openapi3.Schema
		value  string
		want   []string // behind "response /queue/" and the name
	}{
		{"a least", integer().WithMin(0), `-1`, []string{": found the number -1, want an integer of 64 bits, within its minimum"}},
		{"a length", text().WithMinLength(2).WithMaxLength(3), `"abcd"`, []string{
			": found a string of 4 characters, want a string of 2 to 3 characters"}},
		{"a pattern", text().WithPattern("^a$"), `"b"`, []string{": found a string of 1 character, want a string that matches ^a$"}},
		{"an enum", text().WithEnum("a", "b"), `"c"`, []string{": found a string of 1 character, want one of a b"}},
		{"items", openapi3.NewArraySchema().WithItems(text()).WithMaxItems(1), `[1,"a"]`, []string{
			": found an array of 2 items, want an array, within its maxItems", "/0: found the number 1, want a string"}},
		{"no further members", closed, `{"secret":1}`, []string{": found an object of 1 member, want an object, within its properties"}},
		{"further members", further, `{"secret":1.0,"12345678":"","a/b":2}`, []string{
			"/*: found the number 1.0, want an integer of 64 bits"}},
		{"further members, twice", further, `{"secret":1,"secret":2}`, []string{
			"/*: found a member that occurs more than once, want an integer of 64 bits, once"}},
		{"a name to escape", object().WithProperty("a/b~", integer()), `{"a/b~":""}`, []string{
			"/a~1b~0: found an empty string, want an integer of 64 bits"}},
		{"all of", openapi3.NewAllOfSchema(person, required), `{}`, []string{"/name: found nothing, want a string"}},
		{"all of, its members", openapi3.NewAllOfSchema(person, object().WithProperty("id", integer())), `{"name":7,"id":1.0}`, []string{
			"/id: found the number 1.0, want an integer of 64 bits", "/name: found the number 7, want a string"}},
		{"a member of no schema", required, `{}`, []string{"/*: found nothing, want a value"}},
		{"one of", either, `2147483648`, []string{
			": found the number 2147483648, want a string, or an integer of 32 bits"}},
		{"one of, with exponent", either, `1e1`, []string{": found the number 1e1, want a string, or an integer of 32 bits"}},
		{"one of, with a number", openapi3.NewAnyOfSchema(integer(), openapi3.NewFloat64Schema()), `1.0`, nil},
		{"one of objects", openapi3.NewAnyOfSchema(person, withID), `{"id":1e0,"name":""}`, []string{
			"/id: found the number 1e0, want an integer of 64 bits"}},
		{"an integer of no size", openapi3.NewIntegerSchema(), `12345678901234567890123`, nil},
	}
	v := edited(t, func(_ *openapi3.T, unsend *openapi3.Operation) {
		for _, row := range rows {
			queueOf(unsend).Properties[row.name] = row.schema.NewRef()
		}
	})
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			var want []string
			for _, line := range row.want {
				want = append(want, "response /queue/"+row.name+line)
			}
			wantLines(t, v.CheckResponse(nil, queueWith(`"`+row.name+`":`+row.value)), want...)
		})
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
func TestPathsThatAreAlike(t *testing.T) {
	t.Parallel()
	v, err := contract.New(contract.WithDocument([]byte(testdata(t, "own.yaml"))))
	if err != nil {
		t.Fatal(err)
	}
	for path, row := range map[string]struct {
		status int
		want   []string // violations by the request
	}{
		"/chats/7":             {200, nil},
		"/chats/mine":          {201, nil},
		"/chats/mine%2F..":     {200, nil},
		"/chats/":              {200, []string{"path:id"}},
		"/files/notes.tar.gz":  {202, []string{"path:name"}},
		"/files/notes.txt":     {202, nil},
		"/a/b/x":               {203, nil},
		"/a/b/y":               {204, nil},
		"/api/v1/chats/7":      {200, nil},
		"/base/chats/mine":     {201, nil},
		"/base/api/v1/chats/7": {0, []string{"path"}},
		"/filesXnotes.txt":     {0, []string{"path"}},
	} {
		req := requestTo(t, http.MethodGet, path)
		wantPointers(t, v.CheckRequest(req), row.want...)
		if row.status > 0 {
			wantLines(t, v.CheckResponse(req, newResponse(row.status, "{}")))
		}
	}
	head, err := contract.New(contract.WithDocument([]byte(testdata(t, "own.yaml"))), contract.ForOperation("head"))
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, head.CheckResponse(nil, &http.Response{StatusCode: http.StatusOK})) // has no body
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
