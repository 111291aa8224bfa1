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
