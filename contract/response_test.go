package contract_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/unsend-go/unsend/contract"
)

// The corpus has the plain cases. Here are the sweeps, and what a file cannot hold.

func TestEveryStatus(t *testing.T) {
	t.Parallel()
	v := newValidator(t)
	listed := statuses(t)
	for _, status := range append([]int{-1, 0, 1, 20, 99, 600, 999, 2000}, hundreds()...) {
		body := documentedError
		if status == http.StatusOK {
			body = `{"success":true}`
		}
		vs := v.CheckResponse(newRequest(t, documentedRequest), newResponse(status, body))
		if slices.Contains(listed, strconv.Itoa(status)) {
			wantPointers(t, vs)
			continue
		}
		wantPointers(t, vs, "status")
	}
	for _, status := range []int{http.StatusCreated, http.StatusMovedPermanently, http.StatusPermanentRedirect, http.StatusTeapot} {
		wantPointers(t, v.CheckResponse(nil, newResponse(status, `{"error":7}`)), "status", "/error") // by the default
		wantPointers(t, v.CheckResponse(nil, newResponse(status, ``)), "status", "")
	}
	for _, status := range []int{http.StatusNoContent, http.StatusNotModified} { // HTTP gives these no body
		wantPointers(t, v.CheckResponse(nil, newResponse(status, ``)), "status")
	}
}

func hundreds() []int {
	var all []int
	for status := 100; status <= 599; status++ {
		all = append(all, status)
	}
	return all
}

func TestExamplesOfTheContractPass(t *testing.T) {
	t.Parallel()
	v, tried := newValidator(t), 0
	for name, ref := range unsendOperation(t).Responses.Map() {
		status, err := strconv.Atoi(name)
		if err != nil {
			continue // the default has no number to answer with
		}
		media := ref.Value.Content["application/json"]
		examples := []any{media.Example}
		for _, example := range media.Examples {
			examples = append(examples, example.Value.Value)
		}
		for _, example := range examples {
			if example == nil {
				continue
			}
			tried++
			text, err := json.Marshal(example)
			if err != nil {
				t.Fatal(err)
			}
			wantPointers(t, v.CheckResponse(nil, newResponse(status, string(text))))
		}
	}
	if tried < 15 {
		t.Errorf("only %d examples were tried", tried)
	}
}

func unsendOperation(t testing.TB) *openapi3.Operation {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(contract.Document())
	if err != nil {
		t.Fatal(err)
	}
	return doc.Paths.Value("/v2/access/chats/{userId}/messages/{messageId}").Delete
}

func TestResponseHeads(t *testing.T) {
	t.Parallel()
	v := newValidator(t)
	for name, row := range map[string]struct {
		header http.Header
		body   string
		want   []string
	}{
		"with rate limit": {http.Header{"Content-Type": {"application/json"}, "X-Ratelimit-Remaining": {"89"}, "X-Ratelimit-Reset": {"soon"}}, `{"success":true}`, nil},
		"nil header":      {nil, `{"success":true}`, []string{"header:Content-Type"}},
		"empty type":      {http.Header{"Content-Type": {""}}, `{"success":true}`, []string{"header:Content-Type"}},
		"HTML, JSON body": {http.Header{"Content-Type": {"text/html"}}, `{"success":1}`, []string{"header:Content-Type", "/success"}},
		"nothing at all":  {http.Header{}, ``, []string{""}},
	} {
		resp := newResponse(http.StatusOK, row.body)
		resp.Header = row.header
		t.Run(name, func(t *testing.T) { wantPointers(t, v.CheckResponse(nil, resp), row.want...) })
	}
}

func TestResponseBodies(t *testing.T) {
	t.Parallel()
	v := newValidator(t)
	for name, row := range map[string]struct {
		status int
		body   string
		want   []string
	}{
		"two faults":          {200, `{"queue":{"id":null}}`, []string{"/queue/id", "/success"}},
		"media by number":     {200, `{"success":true,"queue":{"id":1,"media":[{},{"id":""},{},{"id":1.5},{},{},{},{},{},{},{"id":null}]}}`, []string{"/queue/media/1/id", "/queue/media/3/id", "/queue/media/10/id"}},
		"unknown twice":       {200, `{"success":true,"x":{"success":1},"x":2}`, nil},
		"deep twice":          {200, `{"success":true,"queue":{"id":1,"media":[{"id":1,"id":1}]}}`, []string{"/queue/media/0/id"}},
		"twice, escaped":      {200, `{"success":true,"succes\u0073":false}`, []string{"/success"}},
		"twice and wrong":     {200, `{"success":1,"success":2}`, []string{"/success"}},
		"wrong, then right":   {200, `{"success":1,"success":true}`, []string{"/success"}},
		"more behind":         {200, `{"success":true}]`, []string{""}},
		"not UTF-8":           {200, "{\"success\":true,\"queue\":{\"id\":1,\"text\":\"\xff\"}}", []string{""}},
		"NaN":                 {200, `{"success":true,"queue":{"id":NaN}}`, []string{""}},
		"price without end":   {200, `{"success":true,"queue":{"id":1,"price":1e999}}`, []string{"/queue/price"}},
		"price with exponent": {200, `{"success":true,"queue":{"id":1,"price":1e1}}`, nil},
		"error as object":     {500, `{"error":{"message":"x"}}`, []string{"/error"}},
	} {
		t.Run(name, func(t *testing.T) {
			wantPointers(t, v.CheckResponse(nil, newResponse(row.status, row.body)), row.want...)
		})
	}
	resp := newResponse(http.StatusOK, "")
	resp.Body = nil
	wantPointers(t, v.CheckResponse(nil, resp), "")
	wantPointers(t, v.CheckResponse(nil, nil), "")
}

func TestResponseOfAnyRequestIsChecked(t *testing.T) {
	t.Parallel()
	v := newValidator(t)
	for _, req := range []*http.Request{nil, {}, requestTo(t, http.MethodDelete, "/elsewhere"), newRequest(t, documentedRequest)} {
		wantPointers(t, v.CheckResponse(req, newResponse(http.StatusOK, `{"success":1}`)), "/success")
	}
	head := newRequest(t, "")
	head.Method = http.MethodHead
	wantPointers(t, v.CheckResponse(head, newResponse(http.StatusOK, "")))
	answer := newResponse(http.StatusOK, "")
	answer.Request = head
	wantPointers(t, v.CheckResponse(nil, answer))
}

func TestViolationsReadWell(t *testing.T) {
	t.Parallel()
	v := newValidator(t)
	wantLines(t, v.CheckResponse(nil, newResponse(http.StatusOK, `{"success":"yes","queue":{"text":null,"price":[],"giphyId":5,"media":[{`+
		`"duration":1.50,"createdAt":7}],"previews":[7,"1"],"isNew":[1,2],"lockedText":6432457811894,"mediaTypes":{"gif":true}}}`)),
		`response /queue/giphyId: found the number 5, want a string, or null`,
		`response /queue/id: found nothing, want an integer of 64 bits`,
		`response /queue/isNew: found an array of 2 items, want true or false`,
		`response /queue/lockedText: found the number 6432457811894, want true or false`,
		`response /queue/media/0/createdAt: found the number 7, want a string, or null`,
		`response /queue/media/0/duration: found the number 1.50, want an integer`,
		`response /queue/mediaTypes/gif: found true, want an integer`,
		`response /queue/previews/1: found a string of 1 character, want an integer of 64 bits`,
		`response /queue/price: found an array of 0 items, want a string, or a number`,
		`response /queue/text: found null, want a string`,
		`response /success: found a string of 3 characters, want true or false`)
	wantLines(t, v.CheckResponse(nil, newResponse(http.StatusOK, `{"success":-1`+strings.Repeat("0", 400)+`}`)),
		`response /success: found a number of 402 characters, want true or false`)
	wantLines(t, v.CheckResponse(nil, newResponse(http.StatusOK, `{"success":9007199254740993}`)),
		`response /success: found a large number, want true or false`)
	wantLines(t, v.CheckResponse(nil, newResponse(http.StatusOK, `{"success":true,"success":true}`)),
		`response /success: found a member that stands more than once, want true or false, once`)
	wantLines(t, v.CheckResponse(nil, newResponse(http.StatusOK, `{"success":tru}`)),
		`response body: found text that is not JSON, from byte 14 on, want JSON`)
	wantLines(t, v.CheckResponse(nil, newResponse(http.StatusOK, `{"success":`)),
		`response body: found JSON cut short after 11 bytes, want whole JSON`)
	wantLines(t, v.CheckResponse(nil, newResponse(http.StatusOK, `{} {}`)),
		`response body: found something behind the JSON value, want one JSON value`)

	put := requestTo(t, http.MethodPut, "/v2/access/chats")
	put.Header, put.Body, put.GetBody = http.Header{"Content-Type": {"text/plain"}}, nil, nil
	wantLines(t, v.CheckRequest(put),
		`request method: found another method, want DELETE`,
		`request path: found another path, want /v2/access/chats/{userId}/messages/{messageId}`,
		`request header:apiKey: found nothing, want a credential`,
		`request header:x-connection-id: found nothing, want a credential`,
		`request body: found nothing, want a body of application/json`)
}

func TestValidatorIsSafeForConcurrentUseAndNeverVaries(t *testing.T) {
	t.Parallel()
	v := newValidator(t)
	broken := `{"queue":{"media":[{"id":"","type":1,"files":{"full":{"url":1,"size":""},"thumb":{"url":null}}},{"id":[]}],"price":{},"text":1,"id":1.5}}`
	want := v.CheckResponse(nil, newResponse(http.StatusOK, broken))
	if len(want) != 10 {
		t.Fatalf("%d violations, want 10: %v", len(want), want)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if got := v.CheckResponse(nil, newResponse(http.StatusOK, broken)); !reflect.DeepEqual(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
				wantPointers(t, v.CheckRequest(newRequest(t, documentedRequest)))
			}
		})
	}
	wg.Wait()
}

func TestDocumentIsACopy(t *testing.T) {
	t.Parallel()
	clear(contract.Document())
	if !strings.HasPrefix(string(contract.Document()), "openapi: 3.0") {
		t.Errorf("the document starts with %.40q", contract.Document())
	}
}
