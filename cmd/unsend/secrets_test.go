package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const plantedKey = "sk_planted_0123456789abcdef"

// echo answers with all that it was sent, the key included, wherever an answer has room.
func echo(t *testing.T, status int) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("apiKey")
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Request-Id", "req_"+key)
		w.Header().Set("Location", "/"+key)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{
			"success": true, "error": "bad key " + key, "type": "TYPE_" + key,
			"requestId": key, "actionRequired": key, "queue": map[string]any{"id": 6, "text": key},
		})
	}))
	t.Cleanup(server.Close)
	return server
}

// TestKeyIsPrintedNowhere searches all that the command prints for a planted key, while the
// service repeats it as often as it can.
func TestKeyIsPrintedNowhere(t *testing.T) {
	dir := t.TempDir()
	keyFile := filepath.Join(dir, "key")
	if err := os.WriteFile(keyFile, []byte(plantedKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(envConnection, "conn_demo")
	for _, status := range []int{200, 302, 400, 401, 403, 404, 422, 418, 429, 500} {
		server := echo(t, status)
		t.Setenv(envBaseURL, server.URL)
		for name, args := range map[string][]string{
			"message":             {"message", "5", "6", "--retries", "0"},
			"message --json":      {"message", "--json", "5", "6", "--retries", "0"},
			"message --verbose":   {"message", "--verbose", "5", "6", "--retries", "0"},
			"message, key a file": {"message", "--json", "--api-key-file", keyFile, "5", "6", "--retries", "0"},
		} {
			t.Run(fmt.Sprintf("%s, %d", name, status), func(t *testing.T) {
				t.Setenv(envKey, plantedKey)
				if strings.Contains(name, "file") {
					t.Setenv(envKey, "")
				}
				out := runAll(t, args...)
				if out == "" {
					t.Error("nothing was printed: this test would find nothing")
				}
				wantNoKey(t, out)
			})
		}
	}
}

// TestKeyInWrongPlaces hands the key to what does not want it.
func TestKeyInWrongPlaces(t *testing.T) {
	t.Setenv(envConnection, "conn_demo")
	for _, args := range [][]string{
		{"message", "--api-key", plantedKey, "5", "6"},
		{"message", "--key=" + plantedKey, "5", "6"},
		{"message", "5", "6", "--base-url", "https://" + plantedKey + "@api.example"},
		{"message", "5", "6", "--base-url", "https://api.example?key=" + plantedKey},
		{"message", "5", "6", plantedKey},
	} {
		t.Setenv(envKey, plantedKey)
		wantNoKey(t, runAll(t, args...))
	}
	t.Setenv(envKey, plantedKey+"\n")
	wantNoKey(t, runAll(t, "message", "5", "6"))
}

func wantNoKey(t *testing.T, out string) {
	t.Helper()
	if strings.Contains(out, plantedKey) {
		t.Errorf("the key is printed:\n%s", out)
	}
}

// runAll runs the command in this process and returns all that it printed.
func runAll(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	run(args, strings.NewReader(""), &out, &out)
	return out.String()
}
