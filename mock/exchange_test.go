package mock_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/mock"
)

func TestMessageIsUnsentOnce(t *testing.T) {
	t.Parallel()
	for over, start := range transports() {
		t.Run(over, func(t *testing.T) {
			t.Parallel()
			g := start(t)
			if !g.server.Exists("7", "9") {
				t.Error("without WithMessages an id does not exist")
			}
			g.unsend("7", "9").wantUnsent(t)
			if g.server.Exists("7", "9") || g.server.UnsentCount("7", "9") != 1 {
				t.Error("the message is still there")
			}
			g.unsend("7", "9").wantProblem(t, http.StatusNotFound, "RESOURCE_NOT_FOUND")
			if n := g.server.UnsentCount("7", "9"); n != 1 {
				t.Errorf("unsent %d times", n)
			}
			g.unsend("9", "7").wantUnsent(t)
			if got, want := g.server.Counts(), (mock.Counts{Requests: 3, Unsent: 2}); got != want {
				t.Errorf("counts %+v, want %+v", got, want)
			}
		})
	}
}

func TestOnlyListedMessagesExist(t *testing.T) {
	t.Parallel()
	g := overPipe(t, mock.WithMessages(mock.Message{UserID: "7", MessageID: "9"}, mock.Message{UserID: "a_B-", MessageID: "x"}))
	g.unsend("7", "8").wantProblem(t, http.StatusNotFound, "RESOURCE_NOT_FOUND")
	g.unsend("7", "09").wantProblem(t, http.StatusNotFound, "RESOURCE_NOT_FOUND")
	g.unsend("7", "9").wantUnsent(t)
	g.unsend("a_B-", "x").wantUnsent(t)
	g.unsend("a_B-", "x").wantProblem(t, http.StatusNotFound, "RESOURCE_NOT_FOUND")
}

func TestRemovedMessageIsGoneWithoutARequest(t *testing.T) {
	t.Parallel()
	g := overPipe(t)
	g.server.Remove("7", "9")
	g.server.Remove("7", "x")
	for _, id := range []string{"9", "x"} {
		g.unsend("7", id).wantProblem(t, http.StatusNotFound, "RESOURCE_NOT_FOUND")
		if g.server.Exists("7", id) || g.server.UnsentCount("7", id) != 0 {
			t.Errorf("%s: exists or counts as unsent", id)
		}
	}
	g.unsend("7", "8").wantUnsent(t)
	g.server.Remove("7", "8")
	if n := g.server.UnsentCount("7", "8"); n != 1 {
		t.Errorf("unsent %d times, want 1 although it was removed later", n)
	}
}

func TestSnapshotShowsTheIDsOfTheRequest(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]json.Number{
		"0": "0", "6432457811894": "6432457811894", "123456789012345678": "123456789012345678",
		"007": "0", "1234567890123456789": "0", "a-_Z": "0", strings.Repeat("9", 64): "0", // the mock's choice
	} {
		g := overPipe(t)
		r := g.unsend(id, id)
		r.wantUnsent(t)
		queue := member(parsed(t, r.body), "queue")
		if message, user := queue["id"], member(queue, "fromUser")["id"]; message != want || user != want {
			t.Errorf("%s: queue.id is %v and queue.fromUser.id %v, want %v", id, message, user, want)
		}
		g.unsend(id, id).wantProblem(t, http.StatusNotFound, "RESOURCE_NOT_FOUND")
	}
}

func TestMediaAreAsManyAsAsked(t *testing.T) {
	t.Parallel()
	for _, n := range []int{-1, 0, 1, 80} {
		r := overPipe(t, mock.WithMedia(n)).unsend("7", "9")
		r.wantUnsent(t)
		queue := member(parsed(t, r.body), "queue")
		want := max(0, n)
		media, _ := queue["media"].([]any)
		if got := len(media); got != want || queue["mediaCount"] != json.Number(fmt.Sprint(want)) {
			t.Errorf("%d media, mediaCount %v, want %d", got, queue["mediaCount"], want)
		}
	}
}

// The command of the documentation, with host, ids and credentials filled in.
func TestCurlOfTheDocumentation(t *testing.T) {
	t.Parallel()
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("needs curl")
	}
	g := overSocket(t)
	cmd := exec.CommandContext(t.Context(), curl, "--silent", "--show-error", "--noproxy", "*",
		"--request", "DELETE",
		"--url", g.base+"/v2/access/chats/51234567/messages/6432457811894",
		"--header", "Content-Type: application/json",
		"--header", "apiKey: "+mock.DemoKey,
		"--header", "x-connection-id: "+mock.DemoConnection,
		"--data", "\n{\n\"withUserId\": \"<string>\"\n}\n",
	)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, problems.String())
	}
	if !bytes.HasPrefix(out, []byte(`{"success":true,"queue":{"id":6432457811894,`)) {
		t.Errorf("answered %s", out)
	}
	if g.server.Exists("51234567", "6432457811894") {
		t.Error("the message is still there")
	}
}

// member returns an object's member that is an object, or nil.
func member(object map[string]any, name string) map[string]any {
	inner, _ := object[name].(map[string]any)
	return inner
}
