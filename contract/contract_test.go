package contract_test

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/unsend-go/unsend/contract"
)

func TestEveryStatus(t *testing.T) {
	t.Parallel()
	v := newValidator(t)
	listed := statuses(t)
	for _, status := range []int{-1, 0, 99, 100, 103, 199, 200, 201, 204, 206, 299, 301, 304, 307, 308, 399, 400, 401, 402, 403, 404, 405, 418, 422, 429, 499, 500, 501, 502, 503, 504, 599, 600, 2000} {
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

// recordingTB stands in for a *testing.T, to see what Check would say.
type recordingTB struct {
	helper bool
	failed []string
}

func (r *recordingTB) Helper() { r.helper = true }

func (r *recordingTB) Errorf(format string, args ...any) {
	r.failed = append(r.failed, fmt.Sprintf(format, args...))
}

func TestCheckFailsOnceWithAReadableList(t *testing.T) {
	broken := newRequest(t, `{}`)
	broken.Header.Del("apiKey")
	for name, row := range map[string]struct {
		req  *http.Request
		resp *http.Response
		want []string
	}{
		"both fine":     {newRequest(t, documentedRequest), newResponse(http.StatusOK, `{"success":true}`), nil},
		"only request":  {newRequest(t, documentedRequest), nil, nil},
		"only response": {nil, newResponse(http.StatusNotFound, documentedError), nil},
		"both broken": {broken, newResponse(http.StatusTeapot, `{"error":1}`), []string{`the exchange departs from the contract in 4 places:
	request header:apiKey: found nothing, want a credential
	request /withUserId: found nothing, want a string of at least 1 character, or an integer of 64 bits
	response status: found status 418, want one of ` + strings.Join(statuses(t), " ") + `
	response /error: found the number 1, want a string`}},
		"one broken": {nil, newResponse(http.StatusOK, `{}`), []string{`the exchange departs from the contract in 1 place:
	response /success: found nothing, want true or false`}},
		"neither": {nil, nil, []string{"there is no exchange to check: pass a request, a response or both"}},
	} {
		t.Run(name, func(t *testing.T) {
			tb := &recordingTB{}
			contract.Check(tb, row.req, row.resp)
			if !tb.helper {
				t.Error("Check does not say that it is a helper")
			}
			if !slices.Equal(tb.failed, row.want) {
				t.Errorf("failed with %q, want %q", tb.failed, row.want)
			}
		})
	}
}

// planted stands wherever a string can stand, and must not come out again.
const planted = "sk_sandbox_planted_5f1e"

func TestNoViolationHoldsWhatCameOverTheWire(t *testing.T) {
	t.Parallel()
	v := newValidator(t)
	var all []contract.Violation
	collect := func(vs []contract.Violation) {
		t.Helper()
		if len(vs) == 0 {
			t.Error("nothing was violated, so nothing was printed")
		}
		all = append(all, vs...)
	}

	req := newRequest(t, `{"withUserId":["`+planted+`"],"`+planted+`":1}`)
	req.Method = planted
	req.URL.Path = "/" + planted
	req.Header = http.Header{"Content-Type": {planted}, "X-Connection-Id": {""}, planted: {planted}}
	collect(v.CheckRequest(req))

	req = requestTo(t, http.MethodDelete, "/v2/access/chats/"+planted+"%20/messages/"+planted+"%20")
	req.Header.Set("Content-Type", "text/"+planted)
	req.Header.Set("apiKey", " ")
	collect(v.CheckRequest(req))

	for _, body := range []string{
		planted,
		`{"` + planted + `":"` + planted,
		`{"success":"` + planted + `","queue":{"id":"` + planted + `","media":[{"type":"` + planted + `"}],"text":{"` + planted + `":1},"price":["` + planted + `"]}}`,
		`{"` + planted + `":1,"` + planted + `":2}`,
		`["` + planted + `"]` + planted,
		`{"success":tru` + planted + `}`,
		"{\"success\":\"" + planted + "\xff\"}",
		`"` + planted + `"`,
	} {
		resp := newResponse(http.StatusOK, body)
		resp.Header.Set("Content-Encoding", planted)
		collect(v.CheckResponse(nil, resp))
		resp = newResponse(http.StatusOK, body)
		resp.Header.Set("Content-Type", planted)
		collect(v.CheckResponse(nil, resp))
		collect(v.CheckResponse(nil, newResponse(http.StatusTeapot, body)))
	}

	for _, violation := range all {
		for _, form := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			if printed := fmt.Sprintf(form, violation); strings.Contains(printed, "planted") {
				t.Errorf("%s prints what came over the wire: %s", form, printed)
			}
		}
	}
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

func TestResponseOfAnyRequestIsChecked(t *testing.T) {
	t.Parallel()
	v := newValidator(t)
	for _, req := range []*http.Request{nil, {}, requestTo(t, http.MethodDelete, "/elsewhere"), newRequest(t, documentedRequest)} {
		wantPointers(t, v.CheckResponse(req, newResponse(http.StatusOK, `{"success":1}`)), "/success")
	}
	answer := newResponse(http.StatusOK, "")
	answer.Request = &http.Request{Method: http.MethodHead}
	wantPointers(t, v.CheckResponse(nil, answer))
}

func TestDocumentIsACopy(t *testing.T) {
	t.Parallel()
	clear(contract.Document())
	if !strings.HasPrefix(string(contract.Document()), "openapi: 3.0") {
		t.Errorf("the document starts with %.40q", contract.Document())
	}
}
