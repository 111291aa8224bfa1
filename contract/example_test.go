package contract_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/unsend-go/unsend/contract"
)

// A validator names every place where an answer departs from the contract, and what it found
// there, without quoting it.
func ExampleValidator_CheckResponse() {
	validator, err := contract.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := contract.ReadCapture(strings.NewReader("HTTP/2 200\r\ncontent-type: application/json\r\n\r\n" +
		`{"success":"yes","queue":{"text":"<p>Hello</p>","media":[{"id":3950387999,"canView":1}]}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	req, err := http.NewRequest(http.MethodDelete, "/v2/access/chats/51234567/messages/6432457811894", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, violation := range validator.CheckResponse(req, resp) {
		fmt.Println(violation)
	}
	// Output:
	// response /queue/id: found nothing, want an integer of 64 bits
	// response /queue/media/0/canView: found the number 1, want true or false
	// response /success: found a string of 3 characters, want true or false
}

// Transport goes around the transport of any client and reports what departs, while the
// program reads the answer as ever.
func ExampleTransport() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"success":1}`)
	}))
	defer server.Close()

	client := &http.Client{Transport: contract.Transport(nil, func(violations []contract.Violation) {
		for _, violation := range violations {
			fmt.Println(violation)
		}
	})}
	req, err := http.NewRequest(http.MethodDelete, server.URL+"/v2/access/chats/51234567/messages/6432457811894",
		strings.NewReader(`{"withUserId":"51234567"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("apiKey", "sk_sandbox_demo")
	req.Header.Set("x-connection-id", "conn_demo")
	resp, err := client.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Println("received", string(body))
	// Output:
	// response /success: found the number 1, want true or false
	// received {"success":1}
}

// In a test, pass t. The list comes in one failure.
func ExampleCheck() {
	recorder := httptest.NewRecorder()
	recorder.Header().Set("Content-Type", "application/json")
	recorder.WriteHeader(http.StatusNotFound)
	fmt.Fprint(recorder, `{"message":"Message not found"}`)

	var t printingT // a *testing.T in a test
	contract.Check(t, nil, recorder.Result())
	// Output:
	// the exchange departs from the contract in 1 place:
	// 	response /error: found nothing, want a string
}

// printingT prints failures, so that the example can show them.
type printingT struct{}

func (printingT) Helper() {}

func (printingT) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
