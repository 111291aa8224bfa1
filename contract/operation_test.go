package contract_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/contract"
)

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

// own is somebody's own document, of many operations.
func own(t *testing.T, opts ...contract.Option) (*contract.Validator, error) {
	t.Helper()
	return contract.New(append(opts, contract.WithDocument([]byte(testdata(t, "own.yaml"))))...)
}

// Each operation of own.yaml lists another status.
func TestResponseIsCheckedAgainstItsOperation(t *testing.T) {
	t.Parallel()
	mine, elsewhere := requestTo(t, http.MethodGet, "/chats/mine"), requestTo(t, http.MethodGet, "/elsewhere")
	const notListed = "response status: found status 201, want one of 200"
	for name, row := range map[string]struct {
		named string
		req   *http.Request
		want  string
	}{
		"its request's":                       {"", mine, ""},
		"of another request":                  {"", requestTo(t, http.MethodGet, "/chats/7"), notListed},
		"no request":                          {"", nil, "response operation: found no known operation, want one of "},
		"of no operation":                     {"", elsewhere, "response operation: found no known operation, want one of "},
		"no request, named":                   {"mine", nil, ""},
		"no request, the first named":         {"types", nil, ""},
		"no request, another named":           {"chat", nil, notListed},
		"of no operation, named":              {"mine", elsewhere, ""},
		"the request is stronger than a name": {"chat", mine, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var opts []contract.Option
			if row.named != "" {
				opts = append(opts, contract.ForOperation(row.named))
			}
			v, err := own(t, opts...)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(row.want, "one of ") {
				row.want += strings.Join(v.Operations(), " ")
			}
			resp := newResponse(http.StatusCreated, "{}")
			resp.Request = nil
			if got := strings.TrimSpace(fmt.Sprintln(v.CheckResponse(row.req, resp))); got != "["+row.want+"]" {
				t.Errorf("got %s, want %s", got, row.want)
			}
		})
	}
	resp := newResponse(http.StatusOK, `{"list":[]}`)
	resp.Request = nil
	wantPointers(t, newValidator(t).CheckResponse(nil, resp), "/success") // with a single operation, nothing has to be named
}

func TestOperationOfARequest(t *testing.T) {
	t.Parallel()
	v, err := own(t, contract.ForOperation("head"))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/chats/7": "chat", "/chats/mine": "mine", "/files/a.tar": "file", "/a/b/x": "left", "/a/b/y": "right",
		"/base/later": "GET /later", "/": "",
	} {
		req := requestTo(t, http.MethodGet, path)
		if id, params := v.Operation(req); id != want || want == "right" && params["z"] != "y" {
			t.Errorf("%s is of %q, with %q, want %s", path, id, params, want)
		}
	}
	wantLines(t, v.CheckResponse(nil, &http.Response{StatusCode: http.StatusOK})) // to HEAD has no body
}

func TestOptionsAreRefused(t *testing.T) {
	t.Parallel()
	_, err := own(t, contract.ForOperation("unsend"))
	const want = `contract has no operation "unsend": name one of types, head, again, GET /later, `
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s…", err, want)
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
}
