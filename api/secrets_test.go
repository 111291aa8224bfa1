package api_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"testing"
	"testing/iotest"

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

// TestPrintedFormsHideTheKey dumps what a program may hold.
func TestPrintedFormsHideTheKey(t *testing.T) {
	client := newClient(t, http.DefaultTransport, api.WithLogger(slog.New(slog.DiscardHandler)))
	for name, v := range map[string]any{
		"client":       client,
		"client value": *client,
		"generated":    client.Generated(),
		"options":      []api.Option{api.WithConnection(connection), api.WithTimeout(1)},
		"call options": []api.CallOption{api.OnConnection(connection), api.WithUserID(userID)},
		"in a struct":  struct{ Client *api.Client }{client},
	} {
		t.Run(name, func(t *testing.T) { assertNoKey(t, v) })
	}
}

// TestEchoedKeyIsHidden has a service that sends the key back, in every place and shape.
func TestEchoedKeyIsHidden(t *testing.T) {
	const k = plantedKey
	bodies := map[string]string{
		"current":       `{"error":"bad key ` + k + `","type":"` + k + `","requestId":"` + k + `","actionRequired":"` + k + `"}`,
		"earlier":       `{"error":"bad key ` + k + `","code":"` + k + `","details":{"` + k + `":"` + k + `"}}`,
		"sdk":           `{"message":"bad key ` + k + `","code":"` + k + `","details":["` + k + `"]}`,
		"nested":        `{"error":{"key":"` + k + `"}}`,
		"escaped":       `{"error":"\u0073` + k[1:] + `","type":"\u0073` + k[1:] + `"}`,
		"twice":         `{"error":"` + k + k + `"}`,
		"text":          "your key " + k + " is unknown",
		"html":          "<html><input value='" + k + "'></html>",
		"at the cap":    strings.Repeat("x", 64<<10-10) + k,
		"at text's cap": strings.Repeat("x", 390) + k,
		"in 2xx JSON":   `{"` + k + `":"` + k + `"}`,
		"refused":       `{"success":false,"error":"` + k + `"}`,
		"unsent":        `{"success":true,"queue":{"text":"` + k + `"}}`,
		"unsent, cut":   `{"success":true,"queue":{"id":1,"text":"` + k,
		"drifted":       `{"success":true,"queue":{"id":"` + k + `"}}`,
	}
	header := http.Header{"X-Request-Id": {k}, "Retry-After": {k}, "X-Ratelimit-Remaining": {k}, "X-Ratelimit-Reset": {k}, "Location": {"https://evil.example/" + k}, "Content-Type": {k}}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			for _, status := range []int{200, 204, 302, 400, 401, 403, 404, 422, 429, 500, 503} {
				var log bytes.Buffer
				client := newClient(t, answer(t, status, header, body), api.WithRetries(0),
					api.WithLogger(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
				result, err := unsend(t.Context(), t, client) // assertNoKey
				if (result == nil) == (err == nil) {
					t.Errorf("%d: %v, %v", status, result, err)
				}
				if strings.Contains(log.String(), k) {
					t.Errorf("%d: the key is in the log", status)
				}
			}
		})
	}
}

// textError is an error that shows its text under every verb.
type textError string

func (e textError) Error() string { return string(e) }

// TestKeyInTransportErrorIsHidden has transports that tell more than they should.
func TestKeyInTransportErrorIsHidden(t *testing.T) {
	for name, leak := range map[string]error{
		"pointer": fmt.Errorf("Apikey: %s", plantedKey),
		"value":   textError("Apikey: " + plantedKey),
		"wrapped": fmt.Errorf("sent %w", textError(plantedKey)),
		"joined":  errors.Join(errors.New("a"), textError(plantedKey)),
	} {
		t.Run(name, func(t *testing.T) {
			for where, next := range map[string]roundTrip{
				"no answer": func(*http.Request) (*http.Response, error) { return nil, leak },
				"before success": func(req *http.Request) (*http.Response, error) {
					return newResponse(req, 200, nil, iotest.ErrReader(leak)), nil
				},
				"behind success": func(req *http.Request) (*http.Response, error) {
					return newResponse(req, 200, nil, io.MultiReader(strings.NewReader(`{"success":true,"queue":{"id":1`), iotest.ErrReader(leak))), nil
				},
				"in an error's body": func(req *http.Request) (*http.Response, error) {
					return newResponse(req, 403, nil, io.MultiReader(strings.NewReader(`{"error":"x`), iotest.ErrReader(leak))), nil
				},
			} {
				_, err := unsend(t.Context(), t, newClient(t, next, api.WithRetries(0)))
				if (err == nil) != (where == "behind success") {
					t.Errorf("%s: %v", where, err)
				}
				if err != nil && !errors.Is(err, leak) {
					t.Errorf("%s: the transport's error cannot be reached through %v", where, err)
				}
			}
		})
	}
}

// TestPanicHidesTheKey is a transport that panics in the middle of a call.
func TestPanicHidesTheKey(t *testing.T) {
	client := newClient(t, roundTrip(func(*http.Request) (*http.Response, error) { panic("transport") }))
	defer func() {
		dump := fmt.Sprintf("%v\n%s", recover(), debug.Stack())
		if !strings.Contains(dump, "transport") || !strings.Contains(dump, "Unsend") {
			t.Errorf("this is no dump: %s", dump)
		}
		if strings.Contains(dump, plantedKey) {
			t.Error("the key is in the dump")
		}
	}()
	_, _ = client.Unsend(t.Context(), userID, messageID)
	t.Error("no panic")
}

// TestShortKeysAreNotRedacted: to take "a" out of every text would leave none.
func TestShortKeysAreNotRedacted(t *testing.T) {
	client, err := api.New("a", api.WithConnection(connection), api.WithHTTPClient(&http.Client{Transport: answer(t, 403, nil, `{"error":"a bad day"}`)}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = unsend(t.Context(), t, client)
	if e := apiError(t, err); e.Message != "a bad day" {
		t.Errorf("Message %q", e.Message)
	}
}
