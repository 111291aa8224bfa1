package contract_test

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/unsend-go/unsend/contract"
)

// A validator names every place that violates the contract, and what it found there without
// quoting it.
func ExampleValidator_CheckRequest() {
	validator, err := contract.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	req, err := http.NewRequest(http.MethodDelete, "/v2/access/chats/51234567/messages/..",
		strings.NewReader(`{"withUserId":null}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("apiKey", "sk_sandbox_demo")
	for _, violation := range validator.CheckRequest(req) {
		fmt.Println(violation)
	}
	// Output:
	// request path:messageId: found a string of 2 characters, want a string of 1 to 64 characters that matches ^[A-Za-z0-9_-]+$
	// request header:x-connection-id: found nothing, want a credential
	// request /withUserId: found null, want a string of at least 1 character, or an integer of 64 bits
}

// In a test, pass t. All violations are one failure.
func ExampleCheck() {
	req, err := http.NewRequest(http.MethodDelete, "/v2/access/chats/51234567/messages/6432457811894",
		strings.NewReader(`{"withUserId":"51234567"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	req.Header.Set("Content-Type", "application/json")

	var t printingT // a *testing.T in a test
	contract.Check(t, req, nil)
	// Output:
	// the exchange violates the contract in 2 places:
	// 	request header:apiKey: found nothing, want a credential
	// 	request header:x-connection-id: found nothing, want a credential
}

// printingT prints failures, so that the example can show them.
type printingT struct{}

func (printingT) Helper() {}

func (printingT) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
