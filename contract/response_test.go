package contract_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/unsend-go/unsend/contract"
	"github.com/unsend-go/unsend/internal/spec"
)

const documentedError = `{"error":"Message not found","type":"RESOURCE_NOT_FOUND","requestId":"req_8f14e45fceea"}`

func TestEveryStatus(t *testing.T) {
	listed := map[int]bool{200: true, 400: true, 401: true, 403: true, 404: true, 422: true, 429: true, 500: true, 502: true, 503: true, 504: true}
	v := newValidator(t)
	for status := 100; status <= 599; status++ {
		body := documentedError
		if status == http.StatusOK {
			body = `{"success":true}`
		}
		vs := v.CheckResponse(newRequest(t, documentedRequest), newResponse(status, body))
		if listed[status] {
			wantPointers(t, vs)
		} else {
			wantPointers(t, vs, "status")
		}
	}
	for _, status := range []int{-1, 0, 1, 20, 99, 600, 999, 2000} {
		if vs := v.CheckResponse(nil, newResponse(status, documentedError)); len(vs) == 0 || vs[0].Pointer != "status" {
			t.Errorf("%d: %v", status, vs)
		}
	}
}

func TestBodyOfAnUnlistedStatusIsJudgedByTheDefault(t *testing.T) {
	v := newValidator(t)
	for _, status := range []int{http.StatusCreated, http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusPermanentRedirect, http.StatusTeapot, http.StatusNotImplemented} {
		wantPointers(t, v.CheckResponse(nil, newResponse(status, `{"error":7}`)), "status", "/error")
		wantPointers(t, v.CheckResponse(nil, newResponse(status, ``)), "status", "")
	}
	for _, status := range []int{http.StatusNoContent, http.StatusNotModified} { // HTTP gives these no body
		wantPointers(t, v.CheckResponse(nil, newResponse(status, ``)), "status")
	}
}

func TestExamplesOfTheContractPass(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(spec.Document)
	if err != nil {
		t.Fatal(err)
	}
	v := newValidator(t)
	tried := 0
	responses := doc.Paths.Value("/v2/access/chats/{userId}/messages/{messageId}").Delete.Responses
	for name, ref := range responses.Map() {
		status, err := strconv.Atoi(name)
		if err != nil {
			continue // the default has no number to answer with
		}
		media := ref.Value.Content["application/json"]
		examples := []any{}
		if media.Example != nil {
			examples = append(examples, media.Example)
		}
		for _, example := range media.Examples {
			examples = append(examples, example.Value.Value)
		}
		for _, example := range examples {
			text, err := json.Marshal(example)
			if err != nil {
				t.Fatal(err)
			}
			tried++
			wantPointers(t, v.CheckResponse(nil, newResponse(status, string(text))))
		}
	}
	if tried < 15 {
		t.Errorf("only %d examples were tried", tried)
	}
}

func TestResponseHeads(t *testing.T) {
	v := newValidator(t)
	for name, row := range map[string]struct {
		header http.Header
		body   string
		want   []string
	}{
		"with rate limit": {http.Header{"Content-Type": {"application/json"}, "X-Ratelimit-Remaining": {"89"}, "X-Ratelimit-Reset": {"soon"}}, `{"success":true}`, nil},
		"charset":         {http.Header{"Content-Type": {"application/json; charset=utf-8"}}, `{"success":true}`, nil},
		"no type":         {http.Header{}, `{"success":true}`, []string{"header:Content-Type"}},
		"nil header":      {nil, `{"success":true}`, []string{"header:Content-Type"}},
		"empty type":      {http.Header{"Content-Type": {""}}, `{"success":true}`, []string{"header:Content-Type"}},
		"text":            {http.Header{"Content-Type": {"text/plain"}}, `{"success":true}`, []string{"header:Content-Type"}},
		"HTML":            {http.Header{"Content-Type": {"text/html"}}, `<html>`, []string{"header:Content-Type"}},
		"HTML as JSON":    {http.Header{"Content-Type": {"application/json"}}, `<html>`, []string{""}},
		"HTML, JSON body": {http.Header{"Content-Type": {"text/html"}}, `{"success":1}`, []string{"header:Content-Type", "/success"}},
		"nothing at all":  {http.Header{}, ``, []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			resp := newResponse(http.StatusOK, row.body)
			resp.Header = row.header
			wantPointers(t, v.CheckResponse(nil, resp), row.want...)
		})
	}
}

func TestResponseBodies(t *testing.T) {
	v := newValidator(t)
	for name, row := range map[string]struct {
		status int
		body   string
		want   []string
	}{
		"null":                 {200, `null`, []string{""}},
		"array":                {200, `[{"success":true}]`, []string{""}},
		"another endpoint":     {200, `{"data":[{"id":1}],"hasMore":false}`, []string{"/success"}},
		"no success":           {200, `{"queue":{"id":1}}`, []string{"/success"}},
		"success in words":     {200, `{"success":"true"}`, []string{"/success"}},
		"queue without id":     {200, `{"success":true,"queue":{}}`, []string{"/queue/id"}},
		"id in words":          {200, `{"success":true,"queue":{"id":"6432457811894"}}`, []string{"/queue/id"}},
		"two faults":           {200, `{"queue":{"id":null}}`, []string{"/queue/id", "/success"}},
		"a medium of no kind":  {200, `{"success":true,"queue":{"id":1,"media":[{"type":"sticker"}]}}`, []string{"/queue/media/0/type"}},
		"media by number":      {200, `{"success":true,"queue":{"id":1,"media":[{},{"id":""},{},{"id":1.5},{},{},{},{},{},{},{"id":null}]}}`, []string{"/queue/media/1/id", "/queue/media/3/id", "/queue/media/10/id"}},
		"success twice":        {200, `{"success":true,"success":false}`, []string{"/success"}},
		"unknown twice":        {200, `{"success":true,"x":{"success":1},"x":2}`, nil},
		"deep twice":           {200, `{"success":true,"queue":{"id":1,"media":[{"id":1,"id":1}]}}`, []string{"/queue/media/0/id"}},
		"twice and wrong":      {200, `{"success":1,"success":2}`, []string{"/success"}},
		"cut":                  {200, `{"success":true,"queue":{"id":64324`, []string{""}},
		"more behind":          {200, `{"success":true}]`, []string{""}},
		"not UTF-8":            {200, "{\"success\":true,\"queue\":{\"id\":1,\"text\":\"\xff\"}}", []string{""}},
		"NaN":                  {200, `{"success":true,"queue":{"id":NaN}}`, []string{""}},
		"price without end":    {200, `{"success":true,"queue":{"id":1,"price":1e999}}`, []string{"/queue/price"}},
		"price as object":      {200, `{"success":true,"queue":{"id":1,"price":{}}}`, []string{"/queue/price"}},
		"error of 404":         {404, documentedError, nil},
		"earlier edition":      {422, `{"error":"Validation failed","code":"VALIDATION_ERROR","details":[{"field":"withUserId"}]}`, nil},
		"details in any form":  {422, `{"error":"Validation failed","details":null}`, nil},
		"the SDK's form":       {400, `{"message":"Bad request","code":"BAD_REQUEST"}`, []string{"/error"}},
		"error as object":      {500, `{"error":{"message":"x"}}`, []string{"/error"}},
		"a 200 body for a 404": {404, `{"success":false}`, []string{"/error"}},
		"an error for a 200":   {200, documentedError, []string{"/success"}},
	} {
		t.Run(name, func(t *testing.T) {
			vs := v.CheckResponse(nil, newResponse(row.status, row.body))
			wantPointers(t, vs, row.want...)
			for _, v := range vs {
				if v.Side != contract.Response {
					t.Errorf("side %q", v.Side)
				}
			}
		})
	}
	resp := newResponse(http.StatusOK, "")
	resp.Body = nil
	wantPointers(t, v.CheckResponse(nil, resp), "")
	wantPointers(t, v.CheckResponse(nil, nil), "")
}

func TestResponseOfAnyRequestIsJudged(t *testing.T) {
	v := newValidator(t)
	for _, req := range []*http.Request{nil, {}, requestTo(t, "/elsewhere"), newRequest(t, documentedRequest)} {
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
	v := newValidator(t)
	body := `{"success":"yes","queue":{"text":null,"price":[],"giphyId":5,"media":[{"type":"","duration":1.5,"createdAt":7}],"previews":[7,"1"],"isNew":[1,2],"mediaTypes":{"gif":true}}}`
	want := []string{
		`response /queue/giphyId: found the number 5, want a string, or null`,
		`response /queue/id: found nothing, want an integer of 64 bits`,
		`response /queue/isNew: found an array of 2 items, want true or false`,
		`response /queue/media/0/createdAt: found the number 7, want a string, or null`,
		`response /queue/media/0/duration: found the number 1.5, want an integer`,
		`response /queue/media/0/type: found an empty string, want one of photo, video, gif, audio`,
		`response /queue/mediaTypes/gif: found true, want an integer`,
		`response /queue/previews/1: found a string of 1 character, want an integer of 64 bits`,
		`response /queue/price: found an array of 0 items, want a string, or a number`,
		`response /queue/text: found null, want a string`,
		`response /success: found a string of 3 characters, want true or false`,
	}
	var got []string
	for _, v := range v.CheckResponse(nil, newResponse(http.StatusOK, body)) {
		got = append(got, v.String())
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	long := v.CheckResponse(nil, newResponse(http.StatusOK, `{"success":-1`+strings.Repeat("0", 400)+`}`))
	if len(long) != 1 || long[0].Found != "a number of 402 characters" {
		t.Errorf("got %v", long)
	}

	req := newRequest(t, "")
	everythingWrong(req)
	want = []string{
		`request method: found PUT, want DELETE`,
		`request path: found another path, want /v2/access/chats/{userId}/messages/{messageId}`,
		`request header:apiKey: found nothing, want a credential`,
		`request header:x-connection-id: found nothing, want a credential`,
		`request body: found nothing, want a body of application/json`,
	}
	got = nil
	for _, v := range v.CheckRequest(req) {
		got = append(got, v.String())
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
