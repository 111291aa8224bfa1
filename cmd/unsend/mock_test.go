package main

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/spf13/cobra"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// TestMockLogsRequests: one line a request, without the key and the body, and none with --quiet.
func TestMockLogsRequests(t *testing.T) {
	t.Parallel()
	for flags, want := range map[string]string{
		"--quiet":                      "",
		"--connection=conn_b":          "DELETE /v2/access/chats/7/messages/9 401 SESSION_NOT_PROVIDED 0ms\n",
		"--fault=503,delay=2s,acted":   "DELETE /v2/access/chats/7/messages/9 503 fault=503,delay=2s,acted 2000ms\n",
		"--fault=drop --no-rate-limit": "DELETE /v2/access/chats/7/messages/9 unanswered fault=drop 0ms\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			var out strings.Builder
			var opts mockOptions
			cmd := &cobra.Command{}
			cmd.SetErr(&out)
			opts.register(cmd.Flags())
			if err := cmd.ParseFlags(strings.Fields(flags)); err != nil {
				t.Fatal(err)
			}
			server, err := opts.server(cmd)
			if err != nil {
				t.Fatal(err)
			}
			client, err := api.New(mock.DemoKey, api.WithHTTPClient(server.Client()), api.WithConnection(mock.DemoConnection), api.WithRetries(0))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = client.Unsend(t.Context(), "7", "9") // the log shows its outcome
			synctest.Wait()
			if got := out.String(); got != want {
				t.Errorf("%s: logged %q, want %q", flags, got, want)
			}
		})
	}
}
