package contract_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/contract"
)

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
