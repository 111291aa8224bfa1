package contract_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/contract"
)

// corpusExchange is one file of testdata/corpus; its README explains the members.
type corpusExchange struct {
	Why     string `json:"why"`
	Request struct {
		Method  string            `json:"method"`
		Path    string            `json:"path"`
		Headers map[string]string `json:"headers"`
		corpusBody
	} `json:"request"`
	Response struct {
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
		corpusBody
	} `json:"response"`
	Violations map[contract.Side][]string `json:"violations"`
}

// corpusBody is a body in one of three forms; none of them is no body.
type corpusBody struct {
	JSON json.RawMessage `json:"json"`
	Text *string         `json:"text"`
	File string          `json:"file"`
}

func (b corpusBody) text(t *testing.T) string {
	t.Helper()
	switch {
	case b.Text != nil:
		return *b.Text
	case b.File != "":
		return testdata(t, b.File)
	}
	return string(b.JSON)
}

func header(fields map[string]string) http.Header {
	h := http.Header{}
	for name, value := range fields {
		h.Set(name, value)
	}
	return h
}

func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("testdata/corpus/*.json")
	if err != nil {
		t.Fatal(err)
	}
	v := newValidator(t)
	ofService, err := contract.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			x := readExchange(t, file)
			requestBody, responseBody := x.Request.text(t), x.Response.text(t)
			req := httptest.NewRequest(x.Request.Method, x.Request.Path, strings.NewReader(requestBody))
			req.Header = header(x.Request.Headers)
			resp := newResponse(x.Response.Status, responseBody)
			resp.Header = header(x.Response.Headers)

			if !slices.Equal(pointers(v.CheckRequest(req)), x.Violations[contract.Request]) {
				t.Errorf("%s\nrequest: got %v, want %q", x.Why, v.CheckRequest(req), x.Violations[contract.Request])
			}
			if !slices.Equal(pointers(v.CheckResponse(req, resp)), x.Violations[contract.Response]) {
				t.Errorf("%s\nresponse: got %v, want %q", x.Why, v.CheckResponse(req, resp), x.Violations[contract.Response])
			}
			isGood := len(x.Violations[contract.Request])+len(x.Violations[contract.Response]) == 0
			if isGood != strings.HasPrefix(filepath.Base(file), "good-") {
				t.Error("only exchanges without a violation have a name that begins with good-")
			}
			if isGood { // and stay so, whatever the contract of the service comes to admit
				wantLines(t, ofService.CheckRequest(req))
				wantLines(t, ofService.CheckResponse(req, resp))
			}
		})
	}
	if len(files) == 0 {
		t.Error("there are no exchanges")
	}
}

// readExchange is strict, so that a member with a slip in its name cannot be passed over.
func readExchange(t *testing.T, file string) corpusExchange {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var x corpusExchange
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&x); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(x.Why, ".") || x.Violations[contract.Request] == nil || x.Violations[contract.Response] == nil {
		t.Error("an exchange says why, and what is wrong with each side")
	}
	return x
}
