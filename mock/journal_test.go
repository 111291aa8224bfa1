package mock_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/mock"
)

func TestJournalListsRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, checkJournal)
}

func checkJournal(t *testing.T) {
	g, now := overPipe(t), time.Now()
	first := g.unsend("7", "9")
	g.unsend("7", "9")
	g.server.Next(mock.Fault{Status: 500, Acted: true})
	g.unsend("7", "8")
	stranger := g.request("7", "6")
	stranger.Header.Set("x-connection-id", mock.DemoKey) // the documentation prints the same placeholder for both
	g.try(stranger)
	long := g.request("7", "5")
	long.URL.Path = "/" + strings.Repeat("x", 5000)
	g.try(long)

	entry := func(n int, messageID string, status int, kind string) mock.Entry {
		return mock.Entry{
			Time: now, RequestID: fmt.Sprintf("req_%012d", n), Method: "DELETE", Path: "/v2/access/chats/7/messages/" + messageID,
			UserID: "7", MessageID: messageID, ConnectionID: "conn_demo", Status: status, Type: kind,
		}
	}
	want := []mock.Entry{
		entry(1, "9", 200, ""), entry(2, "9", 404, "RESOURCE_NOT_FOUND"), entry(3, "8", 500, ""), entry(4, "6", 401, "SESSION_NOT_PROVIDED"),
		{Time: now, RequestID: "req_000000000005", Method: "DELETE", Path: "/" + strings.Repeat("x", 255), Status: 404, Type: "ROUTE_NOT_FOUND"},
	}
	want[0].Acted, want[2].Acted, want[2].Fault, want[3].ConnectionID = true, true, "500,acted", ""
	got := g.server.Journal()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("journal\n%+v\nwant\n%+v", got, want)
	}
	if id := first.header.Get("X-Request-Id"); id != got[0].RequestID {
		t.Errorf("request id %s in the response, want that of the journal", id)
	}
	if strings.Contains(fmt.Sprintf("%#v", got), mock.DemoKey) {
		t.Error("the key is in the journal")
	}
}

func TestJournalIsBounded(t *testing.T) {
	t.Parallel()
	for keep, want := range map[int]int{0: 0, 1: 1, 3: 3, 100: 7, -1: 7} {
		g := overPipe(t, mock.WithJournal(keep))
		for i := range 7 {
			g.unsend("7", strconv.Itoa(i))
		}
		j := g.server.Journal()
		if len(j) != want {
			t.Errorf("keeps %d entries of 7, want %d", len(j), want)
		}
		for i, e := range j {
			if e.MessageID != strconv.Itoa(7-want+i) || e.Status != 200 {
				t.Errorf("keeping %d: entry %d is %+v", keep, i, e)
			}
		}
	}
}

// No key is journaled, wherever and however the client put it there.
func TestKeysAreNotJournaled(t *testing.T) {
	t.Parallel()
	const key, escaped, percent = "sk_live_planted_0123456789", `\u0073k_live_planted_0123456789`, "%73k_live_planted_0123456789"
	for _, sent := range []string{key, "sk_sandbox_another"} { // right and wrong
		g := overPipe(t, mock.WithKeys(key[:12], key), mock.WithBodies())
		for _, path := range []string{"/v2/access/chats/" + key + "/messages/" + key, "/" + percent, "/" + strings.Repeat("x", 240) + key} {
			for _, body := range []string{`{"withUserId":"` + key + `"}`, `{"withUserId":"` + escaped + `"}`, `{"b":"` + escaped, "a=" + percent} {
				req := g.request("7", "9")
				req.URL.Opaque = "//localhost" + path
				setBody(req, body)
				req.Header.Set("apiKey", sent)
				for _, name := range []string{"x-connection-id", "Authorization", "Cookie", "X-Other"} {
					req.Header.Set(name, "a "+key)
				}
				g.tryUnchecked(req)
			}
		}
		if n := len(g.server.Journal()); n != 12 {
			t.Fatalf("%d entries, want 12", n)
		}
		text := fmt.Sprintf("%+v", g.server.Journal())
		if sent == key && !strings.Contains(text, "/chats/(key)/messages/(key)") {
			t.Errorf("%.2000s, want a path that has lost the key alone", text)
		}
		for _, secret := range []string{"k_live_planted", "_0123456789", "sk_sandbox_another", "Apikey", "Authorization", "Cookie"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s is in the journal: %.2000s", secret, text)
			}
		}
	}
}

func TestJournalHoldsHeadersAndBodies(t *testing.T) {
	t.Parallel()
	g := overPipe(t, mock.WithBodies(), mock.WithoutRateLimit())
	g.unsend("7", "9").wantUnsent(t)
	e := g.server.Journal()[0]
	if e.Body != `{"withUserId":"7"}` || e.Header.Get("x-connection-id") != mock.DemoConnection {
		t.Errorf("%q %v, want the body and the headers as sent", e.Body, e.Header)
	}
	long := strings.Repeat("x", 60<<10)
	for range 150 { // 8.8 MiB
		req := g.request("7", "9")
		req.Header.Del("apiKey") // refused before the contract is asked
		setBody(req, long)
		g.tryUnchecked(req)
	}
	size, list := 0, g.server.Journal()
	for _, e := range list {
		size += len(e.Body)
	}
	if size > 8<<20 || size < 7<<20 {
		t.Errorf("%d bytes of bodies, want the newest, up to 8 MiB", size)
	}
	if e := list[0]; e.Body != "" || e.Header != nil || e.Status != http.StatusOK {
		t.Errorf("%d %v %d, want the oldest entry without its body", len(e.Body), e.Header, e.Status)
	}
	if e := list[150]; len(e.Body) != len(long) || e.Header == nil {
		t.Errorf("%d %v, want the newest entry whole", len(e.Body), e.Header)
	}
	few := overPipe(t, mock.WithBodies(), mock.WithJournal(1), mock.WithoutRateLimit())
	for i := range 150 { // of which no more than one is kept at a time
		req := few.request("7", strconv.Itoa(i))
		req.Header.Set("X-Long", long)
		few.tryUnchecked(req)
	}
	if e := few.server.Journal()[0]; e.Body == "" {
		t.Error("the newest entry lost its body to entries that are gone")
	}
	plain := overPipe(t)
	plain.unsend("7", "9")
	if e := plain.server.Journal()[0]; e.Body != "" || e.Header != nil {
		t.Errorf("%q %v, want none unless asked for", e.Body, e.Header)
	}
}
