package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
)

// TestConnectionsAreForgotten uses 100,000 of them, each once.
func TestConnectionsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, roundTrip(func(req *http.Request) (*http.Response, error) {
			return newResponse(req, http.StatusOK, nil, strings.NewReader(`{"success":true}`)), nil
		}))
		most := 0
		for i := range 100_000 {
			if _, err := client.Unsend(t.Context(), userID, messageID, api.OnConnection(fmt.Sprintf("conn_%d", i))); err != nil {
				t.Fatal(err)
			}
			most = max(most, client.Buckets())
			if i%100 == 99 {
				pass(time.Second) // in which a token is back
			}
		}
		if most > 500 {
			t.Errorf("up to %d connections were remembered, of 100 that were in use", most)
		}
	})
}
