package api_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/unsend-go/unsend/api"
)

// TestPrintedFormsHideTheKey dumps what a program may hold.
func TestPrintedFormsHideTheKey(t *testing.T) {
	client := newClient(t, http.DefaultTransport, api.WithLogger(slog.New(slog.DiscardHandler)))
	for name, v := range map[string]any{
		"client":       client,
		"client value": *client,
		"generated":    client.Generated(),
		"options":      []api.Option{api.WithConnection(connection), api.WithTimeout(1)},
		"call options": []api.CallOption{api.WithConnection(connection), api.WithUserID(userID)},
		"in a struct":  struct{ Client *api.Client }{client},
	} {
		t.Run(name, func(t *testing.T) { assertNoKey(t, v) })
	}
}

// TestEchoedKeyIsHidden returns the key in every place and shape of a response. It is given in the
// place of each id too, as it matches their pattern.
func TestEchoedKeyIsHidden(t *testing.T) {
	const k = plantedKey
	header := http.Header{"Location": {"https://evil.example/" + k}}
	for _, name := range []string{"X-Request-Id", "Retry-After", "X-Ratelimit-Remaining", "Content-Type"} {
		header.Set(name, k)
	}
	for name, body := range map[string]string{
		"current":       `{"error":"bad key ` + k + `","type":"` + k + `","requestId":"` + k + `","actionRequired":"` + k + `"}`,
		"sdk":           `{"message":"bad key ` + k + `","code":"` + k + `","details":["` + k + `"]}`,
		"nested":        `{"error":{"key":"` + k + `"}}`,
		"escaped":       `{"error":"\u0073` + k[1:] + `","type":"\u0073` + k[1:] + `"}`,
		"text":          "your key " + k + " is unknown",
		"at the cap":    strings.Repeat("x", 64<<10-10) + k,
		"at text's cap": `{"error":"` + strings.Repeat("x", 390) + k + `"}`,
		"refused":       `{"success":false,"error":"` + k + `"}`,
		"unsent":        `{"success":true,"queue":{"text":"` + k + `"}}`,
		"unsent, cut":   `{"success":true,"queue":{"id":1,"text":"` + k,
		"drifted":       `{"success":true,"queue":{"id":"` + k + `"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			for _, status := range []int{200, 302, 401, 404, 429, 500} {
				logger, log := textLogger(slog.LevelDebug)
				client := newClient(t, respond(t, status, header, body), api.WithRetries(0), api.WithLogger(logger))
				_, _ = unsendMessage(t.Context(), t, client, k, k, api.WithConnection(k))
				if strings.Contains(log.String(), k) || !strings.Contains(log.String(), "connection=[redacted]") {
					t.Errorf("%d: the key is in the log, or nothing is", status)
				}
			}
		})
	}
}

// TestSpellingsOfTheKey are those of JSON and of URLs, and both (X12). Redacting a key that is too
// short to be one would leave no text.
func TestSpellingsOfTheKey(t *testing.T) {
	const key, short = `sk/"live+PLANTED`, "live"
	body := func(key, echo string) string {
		req := &http.Request{Header: http.Header{"Apikey": {key}}}
		return string(api.ErrorOf(&http.Response{StatusCode: 400, Request: req}, []byte(echo)).Body())
	}
	for _, spelling := range []string{
		key, `sk\/\"live+PLANTED`, `\u0073k\u002f\u0022live\u002BPLANTED`, `sk/"live+PLANTE\u0044`,
		"sk%2F%22live%2bPLANTED", "%73%6b%2f%22%6C%69%76%65%2B%50%4c%41%4e%54%45%44", "sk%252F%2522live%252BPLANTED",
		`%73k\/\"liv\u0065%2BPLANTED`, `sk\\/\\\"live\\u002bPLANTED`, `sk\u00252F\u002522live\u00252BPLANTED`,
	} {
		if got := body(key, spelling+spelling+" live "+spelling); got != "[redacted][redacted] live [redacted]" {
			t.Errorf("%s shows as %s", spelling, got)
		}
	}
	for _, text := range []string{
		`sk/\u0022li`, `sk/%22live+PLANTEX`, `sk/"live+PLANTE\u004`, `%u0073k/"live+PLANTED`, "sk%", "sk%zzlive",
	} {
		if got := body(key, text); got != text {
			t.Errorf("%s shows as %s", text, got)
		}
	}
	if got := body("8letters", "8letters"); got != "[redacted]" {
		t.Errorf("a key of 8 characters shows as %s", got)
	}
	if got := body(short, key); got != key {
		t.Errorf("without a key of %d characters, %s shows as %s", len(short), key, got)
	}
}

// TestKeyInTransportErrorIsHidden has transports whose errors quote the key.
func TestKeyInTransportErrorIsHidden(t *testing.T) {
	leak := fmt.Errorf("sent %w", errors.New("Apikey: "+plantedKey))
	broken := func(status int, start string) roundTrip {
		return func(req *http.Request) (*http.Response, error) {
			return newResponse(req, status, nil, io.MultiReader(strings.NewReader(start), iotest.ErrReader(leak))), nil
		}
	}
	for where, next := range map[string]roundTrip{
		"no response":        func(*http.Request) (*http.Response, error) { return nil, leak },
		"before success":     broken(200, ""),
		"behind success":     broken(200, `{"success":true,"queue":{"id":1`),
		"in an error's body": broken(403, `{"error":"x`),
	} {
		client := newClient(t, next, api.WithRetries(0))
		_, _ = get(t.Context(), t, client, http.MethodGet, nil)
		_, err := unsend(t.Context(), t, client)
		if (err == nil) != (where == "behind success") {
			t.Errorf("%s: %v", where, err)
		}
		if err != nil && !errors.Is(err, leak) {
			t.Errorf("%s: the transport's error cannot be reached through %v", where, err)
		}
	}
}
