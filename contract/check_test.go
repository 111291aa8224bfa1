package contract_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
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
	t.Parallel()
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
