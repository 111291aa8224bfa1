package contract_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/unsend-go/unsend/contract"
)

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
