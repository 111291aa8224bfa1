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
	Prism      *struct {
		Differs map[contract.Side]string `json:"differs"`
		Why     string                   `json:"why"`
	} `json:"prism"`
}

// corpusBody is a body in one of three forms; none of them is no body.
type corpusBody struct {
	JSON json.RawMessage `json:"json"`
	Text *string         `json:"text"`
	File string          `json:"file"`
}

func (b corpusBody) text(t *testing.T) string {
	t.Helper()
	forms := 0
	body := ""
	if b.JSON != nil {
		forms, body = forms+1, string(b.JSON)
	}
	if b.Text != nil {
		forms, body = forms+1, *b.Text
	}
	if b.File != "" {
		forms, body = forms+1, testdata(t, b.File)
	}
	if forms > 1 {
		t.Error("more than one body")
	}
	return body
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
				t.Error("the file's name says otherwise")
			}
		})
	}
	if len(files) < 77 {
		t.Errorf("only %d exchanges", len(files))
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
	if x.Prism != nil {
		if !strings.HasSuffix(x.Prism.Why, ".") || len(x.Prism.Differs) == 0 {
			t.Error("a disagreement says which side, and why")
		}
		for side, verdict := range x.Prism.Differs {
			if ours := x.Violations[side]; verdict == "passes" && len(ours) == 0 || verdict == "refuses" && len(ours) > 0 || verdict != "passes" && verdict != "refuses" {
				t.Errorf("%s: %q is no disagreement with %q", side, verdict, ours)
			}
		}
	}
	return x
}
