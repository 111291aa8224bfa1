package api_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
)

// delayed is a body that comes after a while, and counts how many do at a time.
type delayed struct {
	io.Reader

	delay         time.Duration
	reading, most *atomic.Int64
}

func (d *delayed) Read(p []byte) (int, error) {
	if d.delay > 0 {
		d.most.Store(max(d.most.Load(), d.reading.Add(1)))
		<-time.After(d.delay) // virtual
		d.reading.Add(-1)
		d.delay = 0
	}
	return d.Reader.Read(p)
}

// TestErrorBodiesAreReadAFewAtATime: thousands may come at once, as in an outage, each with 64 KiB.
// Those that come slowly hold up the others for a second, and no longer.
func TestErrorBodiesAreReadAFewAtATime(t *testing.T) {
	const calls, limit = 300, 16
	for delay, took := range map[time.Duration]time.Duration{10 * time.Millisecond: 190 * time.Millisecond, 10 * time.Second: 11 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			var reading, most atomic.Int64
			client := newClient(t, roundTrip(func(req *http.Request) (*http.Response, error) {
				body := strings.NewReader(`{"error":"No","type":"BAD_REQUEST"}`)
				return newResponse(req, 422, nil, &delayed{Reader: body, delay: delay, reading: &reading, most: &most}), nil
			}), api.WithoutRateLimit())
			started := time.Now()
			var wg sync.WaitGroup
			for range calls {
				wg.Go(func() {
					if _, err := client.Unsend(t.Context(), userID, messageID); !errors.Is(err, api.ErrBadRequest) {
						t.Errorf("the call returns %v; want ErrBadRequest", err)
					}
				})
			}
			wg.Wait()
			if n := most.Load(); delay < time.Second && n != limit {
				t.Errorf("%d bodies were read at a time; want %d", n, limit)
			}
			if got := time.Since(started); got != took {
				t.Errorf("bodies that take %v took %v; want %v", delay, got, took)
			}
		})
	}
}
