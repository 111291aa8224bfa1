package api_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/api"
)

// badIDs are what must never reach a URL, a header or a body.
func badIDs() map[string]string {
	return map[string]string{
		"empty": "", "dot": ".", "dots": "..", "slash": "7/8", "only a slash": "/", "climbing": "../../x",
		"backslash": `7\8`, "query": "7?x=1", "fragment": "7#x", "escaped dots": "%2e%2e", "escaped slash": "7%2f8",
		"percent": "7%", "semicolon": "7;a=b", "blank": "7 8", "blank before": " 7", "blank behind": "7 ", "newline": "7\n",
		"carriage return": "7\r\nX: y", "tab": "7\t", "nul": "7\x00", "delete": "7\x7f", "quote": `7"`, "brace": "{7}",
		"umlaut": "ü", "fullwidth digit": "７", "Arabic digit": "٧", "zero width": "7\u200b", "right to left": "\u202e7", "emoji": "🌞",
		"not UTF-8": "7\xff", "plus": "+7", "dot inside": "7.0", "comma": "7,8", "colon": "a:b", "at": "a@b", "tilde": "~a", "star": "*",
		"65 characters": strings.Repeat("7", 65), "10,000 characters": strings.Repeat("7", 10_000), "10,000 slashes": strings.Repeat("/", 10_000),
	}
}

func TestBadIDsAreNotSent(t *testing.T) {
	server := newMock()
	sent := &counter{next: server.Client().Transport}
	client := newClient(t, sent)
	for name, id := range badIDs() {
		t.Run(name, func(t *testing.T) {
			for what, call := range map[string]func() error{
				"user id":    func() error { _, err := client.Unsend(t.Context(), id, messageID); return err },
				"message id": func() error { _, err := client.Unsend(t.Context(), userID, id); return err },
				"connection id": func() error {
					_, err := client.Unsend(t.Context(), userID, messageID, api.OnConnection(id))
					return err
				},
				"with-user id": func() error { _, err := client.Unsend(t.Context(), userID, messageID, api.WithUserID(id)); return err },
				"connection id of the client": func() error {
					_, err := api.New(plantedKey, api.WithConnection(id))
					return err
				},
			} {
				err := call()
				if !errors.Is(err, api.ErrInvalidID) {
					t.Errorf("%s: want an ErrInvalidID, got %v", what, err)
					continue
				}
				if config := errors.Is(err, api.ErrConfig); config != (what != "user id" && what != "message id") {
					t.Errorf("%s: ErrConfig is %v of %v", what, config, err)
				}
				if name := strings.TrimSuffix(what, " of the client"); !strings.Contains(err.Error(), name) {
					t.Errorf("the error %q does not name the %s", err, what)
				}
				checkErrorText(t, err)
			}
		})
	}
	if n := sent.n.Load() + int64(len(server.Journal())); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestGoodIDsArriveAsTheyAre(t *testing.T) {
	server := newMock()
	client := mockClient(t, server)
	for _, id := range []string{"7", "51234567", "0", "007", "msg_8f14", "a-b", "-", "_", "ABC", strings.Repeat("9", 64), "18446744073709551616"} {
		result, err := unsendMessage(t.Context(), t, client, id, id)
		if err != nil || result.Outcome != api.Unsent {
			t.Fatalf("%s: %v, %v", id, result, err)
		}
		entries := server.Journal()
		last := entries[len(entries)-1]
		if last.UserID != id || last.MessageID != id || last.Path != "/v2/access/chats/"+id+"/messages/"+id {
			t.Errorf("%s arrived as %s", id, last.Path)
		}
	}
}

func FuzzIDs(f *testing.F) {
	for _, id := range badIDs() {
		f.Add(id)
	}
	f.Add(userID)
	f.Add(strings.Repeat("_", 64))
	f.Fuzz(func(t *testing.T, id string) {
		err := api.CheckID(id)
		good := len(id) >= 1 && len(id) <= 64 && strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == ""
		if good != (err == nil) {
			t.Fatalf("%q: %v", id, err)
		}
		if err != nil {
			checkErrorText(t, err)
		}
	})
}
