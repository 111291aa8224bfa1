package mock_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/mock"
)

// BenchmarkUnsend is what a benchmark that runs against the mock pays for the mock.
func BenchmarkUnsend(b *testing.B) {
	for over, start := range transports() {
		b.Run(over, func(b *testing.B) {
			g := start(b, mock.WithoutRateLimit())
			header := g.request("7", "9").Header
			client := &http.Client{Transport: g.next}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				req, err := http.NewRequestWithContext(b.Context(), http.MethodDelete,
					g.base+"/v2/access/chats/7/messages/"+strconv.Itoa(i), strings.NewReader(`{"withUserId":"7"}`))
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
		})
	}
}
