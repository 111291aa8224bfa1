package bench

import (
	"context"
	"net/http"
	"testing"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/contract"
	"github.com/unsend-go/unsend/gen"
)

// BenchmarkCall holds a call made in several ways against a bare one: of the documented response,
// and of one with more media.
func BenchmarkCall(b *testing.B) {
	for _, size := range []struct {
		name  string
		media int
	}{{"2KB", 1}, {"10KB", 10}, {"100KB", 100}} {
		url, client := serve(b, response(b, size.media)), floorClient(b)
		ours := unsender(b, url)
		judged := &http.Client{Transport: contract.Transport(client.Transport, func(found []contract.Violation) { b.Error(found) })}
		for _, way := range []struct {
			name string
			call func()
		}{
			{"unsend", func() { unsend(b, ours) }},
			{"queue", func() { decode(b, unsend(b, ours)) }},
			{"generated", plainGenerated(b, url, client)},
			{"contract", floor(b, url, judged)},
		} {
			b.Run(size.name+"/"+way.name, func(b *testing.B) { against(b, floor(b, url, client), way.call) })
		}
	}
}

func unsend(tb testing.TB, client *api.Client) *api.Result {
	tb.Helper()
	result, err := client.Unsend(context.Background(), userID, messageID)
	if err != nil {
		tb.Fatal(err)
	}
	if result.Outcome != api.Unsent {
		tb.Fatalf("the outcome is %s, want unsent", result.Outcome)
	}
	return result
}

func decode(tb testing.TB, result *api.Result) {
	tb.Helper()
	queue, err := result.Queue()
	if err != nil {
		tb.Fatal(err)
	}
	if queue == nil {
		tb.Fatal("the result has no queue")
	}
}

// plainGenerated makes the call with gen alone, which decodes each response.
func plainGenerated(tb testing.TB, url string, client *http.Client) func() {
	tb.Helper()
	generated, err := gen.NewClientWithResponses(url, gen.WithHTTPClient(client), gen.WithRequestEditorFn(
		func(_ context.Context, req *http.Request) error {
			setHeaders(req)
			return nil
		}))
	if err != nil {
		tb.Fatal(err)
	}
	body := gen.UnsendRequest{WithUserID: gen.String(userID)}
	return func() {
		resp, err := generated.UnsendChatMessageWithResponse(context.Background(), userID, messageID, body)
		if err != nil {
			tb.Fatal(err)
		}
		if resp.JSON200 == nil {
			tb.Fatalf("status %d, want 200", resp.StatusCode())
		}
	}
}
