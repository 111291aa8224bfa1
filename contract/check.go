package contract

import (
	"net/http"
	"strings"
)

// TB is what Check needs of *testing.T.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
}

// Check fails the test with a list of every departure of the exchange from the contract. Either
// side may be nil, and is then not judged. Bodies are read and put back; a request body that
// was read before, and cannot be had again from GetBody, counts as missing.
func Check(t TB, req *http.Request, resp *http.Response) {
	t.Helper()
	v, err := shared()
	if err != nil {
		t.Errorf("the exchange cannot be judged: %v", err)
		return
	}
	var vs []Violation
	if req != nil {
		vs = append(vs, v.CheckRequest(req)...)
	}
	if resp != nil {
		vs = append(vs, v.CheckResponse(req, resp)...)
	}
	switch {
	case req == nil && resp == nil:
		t.Errorf("there is no exchange to judge: pass a request, a response or both")
	case len(vs) > 0:
		var lines strings.Builder
		for _, v := range vs {
			lines.WriteString("\n\t" + v.String())
		}
		t.Errorf("the exchange departs from the contract in %s:%s", count(len(vs), "place"), lines.String())
	}
}
