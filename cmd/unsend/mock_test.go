package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/spf13/cobra"

	"github.com/unsend-go/unsend/mock"
)

// TestMockLogsRequests: one line a request, without the key and the body, and none with --quiet.
func TestMockLogsRequests(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name, path, key, flags, want string
	}{
		{name: "quiet", path: "/v2/access/chats/7/messages/9", key: mock.DemoKey, flags: "--quiet", want: `^$`},
		{name: "refused", path: "/v2/access/chats/7/messages/9", key: "sk_live_planted",
			want: `^DELETE /v2/access/chats/7/messages/9 401 UNAUTHORIZED 0ms\n$`},
		{name: "fault", path: "/v2/access/chats/7/messages/9", key: mock.DemoKey, flags: "--fault=503,delay=2s,acted",
			want: `^DELETE /v2/access/chats/7/messages/9 503 fault=503,delay=2s,acted 2000ms\n$`},
		{name: "drop", path: "/v2/access/chats/7/messages/9", key: mock.DemoKey, flags: "--fault=drop",
			want: `^DELETE /v2/access/chats/7/messages/9 unanswered fault=drop 0ms\n$`},
		{name: "control characters", path: "/a\x1b[31m\u202e\n", want: `^DELETE /a%1B%5B31m%E2%80%AE%0A 404 ROUTE_NOT_FOUND 0ms\n$`},
	}
	for _, row := range rows {
		synctest.Test(t, func(t *testing.T) {
			var out strings.Builder
			var opts mockOptions
			cmd := &cobra.Command{}
			cmd.SetErr(&out)
			opts.register(cmd.Flags())
			if err := cmd.ParseFlags(strings.Fields(row.flags)); err != nil {
				t.Fatal(err)
			}
			server, err := opts.server(cmd)
			if err != nil {
				t.Fatal(err)
			}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, "http://mock", strings.NewReader(`{"withUserId":"secret"}`))
			if err != nil {
				t.Fatal(err)
			}
			req.URL.Path = row.path
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("apiKey", row.key)
			req.Header.Set("x-connection-id", mock.DemoConnection)
			if resp, err := server.Client().Do(req); err == nil {
				_ = resp.Body.Close()
			}
			synctest.Wait()
			if got := out.String(); !regexp.MustCompile(row.want).MatchString(got) {
				t.Errorf("%s: logged %q, want %s", row.name, got, row.want)
			}
		})
	}
}
