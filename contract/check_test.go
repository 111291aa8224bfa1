package contract_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/unsend-go/unsend/contract"
)

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
		want string
	}{
		"both fine":     {newRequest(t, documentedRequest), newResponse(http.StatusOK, `{"success":true}`), ""},
		"only request":  {newRequest(t, documentedRequest), nil, ""},
		"only response": {nil, newResponse(http.StatusNotFound, documentedError), ""},
		"both broken": {broken, newResponse(http.StatusTeapot, `{"error":1}`), `the exchange departs from the contract in 4 places:
	request header:apiKey: found nothing, want a credential
	request /withUserId: found nothing, want a string of at least 1 character, or an integer of 64 bits
	response status: found status 418, want one of 200 400 401 403 404 422 429 500 502 503 504
	response /error: found the number 1, want a string`},
		"one broken": {nil, newResponse(http.StatusOK, `{}`), `the exchange departs from the contract in 1 place:
	response /success: found nothing, want true or false`},
		"neither": {nil, nil, "there is no exchange to check: pass a request, a response or both"},
	} {
		t.Run(name, func(t *testing.T) {
			tb := &recordingTB{}
			contract.Check(tb, row.req, row.resp)
			if !tb.helper {
				t.Error("Check does not say that it is a helper")
			}
			got := ""
			if len(tb.failed) == 1 {
				got = tb.failed[0]
			}
			if got != row.want || len(tb.failed) > 1 {
				t.Errorf("failed with %q, want %q", tb.failed, row.want)
			}
		})
	}
}

func TestCheckLeavesTheBodyToTheTest(t *testing.T) {
	resp := newResponse(http.StatusOK, `{"success":true}`)
	contract.Check(t, newRequest(t, documentedRequest), resp)
	wantRead(t, resp.Body, `{"success":true}`)
}
