package mock_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/mock"
)

// How much a benchmark that runs against the mock pays for the mock.
func BenchmarkUnsend(b *testing.B) {
	for _, body := range []struct{ name, text string }{
		{"plain", `{"withUserId":"7"}`},
		{"validated", `{"withUserId":"7","more":1}`}, // asks the validator
	} {
		b.Run("memory/"+body.name, func(b *testing.B) { bench(b, overPipe(b, mock.WithoutRateLimit()), body.text) })
		b.Run("socket/"+body.name, func(b *testing.B) { bench(b, overSocket(b, mock.WithoutRateLimit()), body.text) })
	}
}

func bench(b *testing.B, g *testServer, body string) {
	b.Helper()
	header := g.request("7", "9").Header
	client := &http.Client{Transport: g.next}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		req, err := http.NewRequestWithContext(b.Context(), http.MethodDelete,
			g.base+"/v2/access/chats/7/messages/"+strconv.Itoa(i), strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		req.Header = header
		resp, err := client.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
			b.Fatalf("answered %d, %v", resp.StatusCode, err)
		}
		_ = resp.Body.Close()
	}
}
