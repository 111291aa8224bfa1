package contract_test

import (
	"cmp"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/contract"
)

// setting sets a header of an exchange.
var setting = regexp.MustCompile(`^([A-Za-z-]+)=(\S*)(?: |$)`)

// The exchanges of testdata/exchanges.txt, each of one side.
func TestExchanges(t *testing.T) {
	t.Parallel()
	ofService, err := contract.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range strings.Split(testdata(t, "exchanges.txt"), "\n== ")[1:] {
		title, lines, _ := strings.Cut(text, "\n")
		document, _, _ := strings.Cut(title, ":")
		v, err := contract.New(contract.WithDocument([]byte(testdata(t, document))))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(lines) {
			exchange, places, isExchange := strings.Cut(strings.TrimSpace(line)+" ", " => ")
			if !isExchange {
				continue
			}
			t.Run(title+"/"+exchange, func(t *testing.T) {
				t.Parallel()
				var got, want []string
				if places = strings.TrimSpace(places); places != "" {
					want = strings.Split(places, " | ")
				}
				for i, v := range violations(t, v, exchange) {
					text := cmp.Or(v.Pointer, "body")
					if i < len(want) && strings.Contains(want[i], ": found") {
						text = v.String()
					}
					got = append(got, text)
				}
				if !slices.Equal(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
				if document == "openapi.yaml" && len(want) == 0 { // whatever the service's comes to admit
					wantLines(t, violations(t, ofService, exchange))
				}
			})
		}
	}
}

// violations checks a request, or a response.
func violations(t *testing.T, v *contract.Validator, exchange string) []contract.Violation {
	t.Helper()
	first, rest, _ := strings.Cut(exchange, " ")
	status, err := strconv.Atoi(first)
	isRequest := err != nil
	req, resp := newRequest(t, ""), newResponse(status, "")
	header := resp.Header
	if isRequest {
		path, body, _ := strings.Cut(rest, " ")
		req, rest = requestTo(t, first, path), body
		header = req.Header
	}
	for m := setting.FindStringSubmatch(rest); m != nil; m = setting.FindStringSubmatch(rest) {
		header.Del(m[1])
		if m[2] != "" {
			header.Set(m[1], strings.ReplaceAll(m[2], "_", " "))
		}
		rest = rest[len(m[0]):]
	}
	if name, isFile := strings.CutPrefix(rest, "@"); isFile {
		rest = testdata(t, name)
	} else if literal, isLiteral := strings.CutPrefix(rest, "$"); isLiteral {
		if rest, err = strconv.Unquote(literal); err != nil {
			t.Fatal(err)
		}
	}
	body := io.NopCloser(strings.NewReader(rest))
	if isRequest {
		req.Body, req.GetBody, req.ContentLength = body, nil, int64(len(rest))
		return v.CheckRequest(req)
	}
	resp.Body = body
	return v.CheckResponse(nil, resp)
}
