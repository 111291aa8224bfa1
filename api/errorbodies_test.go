package api_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
)

// slowBody is a body that comes in two parts, and counts how many are between them.
type slowBody struct {
	io.Reader

	mu            *sync.Mutex
	reading, most *int
	begun         bool
}

func (b *slowBody) add(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	*b.reading += n
	*b.most = max(*b.most, *b.reading)
}

func (b *slowBody) Read(p []byte) (int, error) {
	if !b.begun {
		b.begun = true
		b.add(1)
		time.Sleep(10 * time.Millisecond) //nolint:forbidigo // virtual
		b.add(-1)
	}
	return b.Reader.Read(p)
}

func (b *slowBody) Close() error { return nil }

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// Thousands of errors may come at once, as in an outage, each with 64 KiB: a few are read at a
// time.
func TestErrorBodiesAreReadAFewAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls, limit = 300, 16
		var mu sync.Mutex
		var reading, most int
		client, err := api.New("sk_sandbox_key", api.WithoutRateLimit(), api.WithConnection("conn_1"), api.WithHTTPClient(&http.Client{
			Transport: roundTripFunc(func(*http.Request) (*http.Response, error) {
				text := `{"error":"` + strings.Repeat("x", 1000) + `","type":"BAD_REQUEST"}`
				return &http.Response{StatusCode: 422, ContentLength: -1, Header: http.Header{}, Body: &slowBody{
					Reader: strings.NewReader(text), mu: &mu, reading: &reading, most: &most,
				}}, nil
			}),
		}))
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range calls {
			wg.Go(func() {
				if _, err := client.Unsend(t.Context(), "5", "6"); !errors.Is(err, api.ErrBadRequest) {
					t.Errorf("the call returns %v; want ErrBadRequest", err)
				}
			})
		}
		wg.Wait()
		if most > limit || most < 2 {
			t.Errorf("%d bodies were read at a time; want 2 to %d", most, limit)
		}
	})
}
