package mock_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/mock"
)

func TestJournalTellsWhatHappened(t *testing.T) {
	for over, rigged := range transports() {
		t.Run(over, func(t *testing.T) {
			now := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
			g := rigged(t, mock.WithClock(func() time.Time { return now }))
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

			const path = "/v2/access/chats/7/messages/"
			want := []mock.Entry{
				{Time: now, RequestID: "req_000000000001", Method: "DELETE", Path: path + "9", UserID: "7", MessageID: "9", ConnectionID: "conn_demo", Status: 200, Acted: true},
				{Time: now, RequestID: "req_000000000002", Method: "DELETE", Path: path + "9", UserID: "7", MessageID: "9", ConnectionID: "conn_demo", Status: 404, Type: "RESOURCE_NOT_FOUND"},
				{Time: now, RequestID: "req_000000000003", Method: "DELETE", Path: path + "8", UserID: "7", MessageID: "8", ConnectionID: "conn_demo", Status: 500, Acted: true, Fault: "500,acted"},
				{Time: now, RequestID: "req_000000000004", Method: "DELETE", Path: path + "6", UserID: "7", MessageID: "6", Status: 401, Type: "SESSION_NOT_PROVIDED"},
				{Time: now, RequestID: "req_000000000005", Method: "DELETE", Path: "/" + strings.Repeat("x", 1023), Status: 404, Type: "ROUTE_NOT_FOUND"},
			}
			got := g.server.Journal()
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("journal\n%+v\nwant\n%+v", got, want)
			}
			if id := first.header.Get("X-Request-Id"); id != got[0].RequestID {
				t.Errorf("answered as %s", id)
			}
			if strings.Contains(fmt.Sprintf("%#v", got), mock.DemoKey) {
				t.Error("the key is in the journal")
			}
		})
	}
}

func TestJournalIsBounded(t *testing.T) {
	for keep, want := range map[int]int{0: 0, 1: 1, 3: 3, 100: 7, -1: 7} {
		g := memory(t, mock.WithJournal(keep))
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

func TestJournalHoldsThoseBeingAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := memory(t, mock.WithJournal(2))
		g.server.NextFor("7", "1", mock.Fault{Delay: time.Minute})
		g.server.NextFor("7", "3", mock.Fault{Delay: time.Minute})
		done := make(chan result, 2)
		slow := func(id string) {
			req := g.request("7", id)
			go func() { done <- g.try(req) }()
			synctest.Wait()
		}
		slow("1")
		if j := g.server.Journal(); len(j) != 1 || j[0].Status != 0 || j[0].RequestID == "" {
			t.Errorf("journal %+v", j)
		}
		g.unsend("7", "2")
		slow("3")
		<-done // no longer kept
		<-done
		j := g.server.Journal()
		if len(j) != 2 || j[0].MessageID != "2" || j[1].MessageID != "3" || j[1].Status != 200 || !j[1].Acted {
			t.Errorf("journal %+v", j)
		}
	})
}
