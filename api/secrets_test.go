package api_test

import (
	"net/http"
	"testing"

	"github.com/unsend-go/unsend/api"
)

// TestRefusalsDoNotQuoteCredentials has the key where the connection belongs.
func TestRefusalsDoNotQuoteCredentials(t *testing.T) {
	for name, text := range map[string]string{"newline": plantedKey + "\n", "blank": plantedKey + " ", "quoted": `"` + plantedKey + `"`} {
		t.Run(name, func(t *testing.T) {
			_, err := api.New("key", api.WithConnection(text))
			checkRefusal(t, err, "connection id")
			_, err = newClient(t, http.DefaultTransport).Unsend(t.Context(), userID, messageID, api.OnConnection(text))
			checkRefusal(t, err, "connection id")
			t.Setenv("OFAUTH_API_KEY", "key")
			t.Setenv("OFAUTH_CONNECTION_ID", text)
			_, err = api.FromEnv()
			checkRefusal(t, err, "OFAUTH_CONNECTION_ID")
		})
	}
}
