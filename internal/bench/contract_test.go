package bench

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/contract"
)

// BenchmarkContract is the price of judging an exchange by the contract, in both directions,
// against decoding its answer with encoding/json (the floor of its ratio).
func BenchmarkContract(b *testing.B) {
	validator, err := contract.New()
	if err != nil {
		b.Fatal(err)
	}
	for _, size := range bodies {
		body := answer(b, size.media)
		b.Run(size.name, func(b *testing.B) {
			against(b, 32,
				func() {
					var decoded map[string]any
					if err := json.Unmarshal(body, &decoded); err != nil {
						b.Fatal(err)
					}
				},
				func() {
					req, resp := exchange(body)
					if found := append(validator.CheckRequest(req), validator.CheckResponse(req, resp)...); found != nil {
						b.Fatal(found)
					}
				})
		})
	}
}

// BenchmarkContractTransport is a call through contract.Transport against the same without.
func BenchmarkContractTransport(b *testing.B) {
	for _, size := range bodies {
		url, client := serve(b, answer(b, size.media)), wire(b)
		judged := &http.Client{Transport: contract.Transport(client.Transport, func(found []contract.Violation) { b.Error(found) })}
		b.Run(size.name, func(b *testing.B) {
			against(b, 32, floor(b, url, client), floor(b, url, judged))
		})
	}
}

func exchange(body []byte) (*http.Request, *http.Response) {
	req := httptest.NewRequest(http.MethodDelete, "/v2/access/chats/"+userID+"/messages/"+messageID, strings.NewReader(`{"withUserId":"`+userID+`"}`))
	req.Header.Set("apiKey", key)
	req.Header.Set("x-connection-id", connection)
	req.Header.Set("Content-Type", "application/json")
	return req, &http.Response{
		StatusCode: http.StatusOK,
		Header:     http.Header{"Content-Type": {"application/json"}},
		Body:       io.NopCloser(bytes.NewReader(body)),
		Request:    req,
	}
}
