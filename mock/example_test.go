package mock_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/unsend-go/unsend/mock"
)

// unsend sends the documented request with net/http and prints what comes of it.
func unsend(client *http.Client) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodDelete,
		"https://api-next.ofauth.com/v2/access/chats/51234567/messages/6432457811894", strings.NewReader(`{"withUserId":"51234567"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("apiKey", mock.DemoKey)
	req.Header.Set("x-connection-id", mock.DemoConnection)
	resp, err := client.Do(req)
	if err != nil {
		fmt.Println("no response")
		return
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	fmt.Printf("%s %.46s %v\n", resp.Status, body, err)
}

func ExampleServer_Next() {
	server := mock.New()
	server.Next(
		mock.Fault{Status: 503, RetryAfter: "5"},
		mock.Fault{Kind: mock.Drop, Acted: true}, // the response is lost, the message is unsent
	)
	client := server.Client() // no socket; any host
	for range 3 {
		unsend(client)
	}
	for _, e := range server.Journal() {
		fmt.Println(e.Status, e.Type, e.Acted, e.Fault)
	}
	// Output:
	// 503 Service Unavailable {"error":"Network error","requestId":"req_0000 <nil>
	// no response
	// 404 Not Found {"error":"Message not found","type":"RESOURCE_ <nil>
	// 503  false 503,retry-after=5
	// 0  true drop,acted
	// 404 RESOURCE_NOT_FOUND false
}
