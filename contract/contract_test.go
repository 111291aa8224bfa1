package contract_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/contract"
)

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
		`response /success: found a member that occurs more than once, want true or false, once`)
	wantLines(t, v.CheckResponse(nil, newResponse(http.StatusOK, `{"success":tru}`)),
		`response body: found text that is not JSON, from byte 14 on, want JSON`)
	wantLines(t, v.CheckResponse(nil, newResponse(http.StatusOK, `{"success":`)),
		`response body: found JSON cut short after 11 bytes, want whole JSON`)
	wantLines(t, v.CheckResponse(nil, newResponse(http.StatusOK, `{} {}`)),
		`response body: found text after the JSON value, want one JSON value`)

	put := requestTo(t, http.MethodPut, "/v2/access/chats")
	put.Header, put.Body, put.GetBody = http.Header{"Content-Type": {"text/plain"}}, nil, nil
	wantLines(t, v.CheckRequest(put),
		`request method: found another method, want DELETE`,
		`request path: found another path, want /v2/access/chats/{userId}/messages/{messageId}`,
		`request header:apiKey: found nothing, want a credential`,
		`request header:x-connection-id: found nothing, want a credential`,
		`request body: found nothing, want a body of application/json`)
}

// recordingTB records what Check reports to a *testing.T.
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
		"both valid":    {newRequest(t, documentedRequest), newResponse(http.StatusOK, `{"success":true}`), nil},
		"only request":  {newRequest(t, documentedRequest), nil, nil},
		"only response": {nil, newResponse(http.StatusNotFound, documentedError), nil},
		"both invalid": {broken, newResponse(http.StatusOK, `{"success":`), []string{`the exchange violates the contract in 3 places:
	request header:apiKey: found nothing, want a credential
	request /withUserId: found nothing, want a string of at least 1 character, or an integer of 64 bits
	response body: found JSON cut short after 11 bytes, want whole JSON`}},
		"one invalid": {nil, newResponse(http.StatusOK, ``), []string{`the exchange violates the contract in 1 place:
	response body: found nothing, want a body of application/json`}},
		"neither": {nil, nil, []string{"nothing to check: pass a request, a response or both"}},
	} {
		t.Run(name, func(t *testing.T) {
			tb := &recordingTB{}
			contract.Check(tb, row.req, row.resp)
			if !tb.helper {
				t.Error("Check is not marked as a helper")
			}
			if !slices.Equal(tb.failed, row.want) {
				t.Errorf("failed with %q, want %q", tb.failed, row.want)
			}
		})
	}
}
