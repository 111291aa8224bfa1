package mock_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
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
			g.server.Remove("7", "9") // which is gone
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
		var ids []any
		for _, medium := range media {
			medium, _ := medium.(map[string]any)
			ids = append(ids, medium["id"])
		}
		if previews, _ := queue["previews"].([]any); len(slices.Compact(ids)) != want || !slices.Equal(previews, ids[:min(want, 1)]) {
			t.Errorf("ids %v, previews %v, want ids that differ, and the first as a preview", ids, previews)
		}
	}
}

// member returns an object's member that is an object, or nil.
func member(object map[string]any, name string) map[string]any {
	inner, _ := object[name].(map[string]any)
	return inner
}

// Hundreds of goroutines at once, each message wanted by four of them.
func TestConcurrentRequests(t *testing.T) {
	t.Parallel()
	const goroutines, messages = 200, 50
	for over, start := range transports() {
		t.Run(over, func(t *testing.T) {
			t.Parallel()
			g := start(t, mock.WithoutRateLimit(), mock.WithFaults(1, 0.1, mock.Fault{Status: 500}, mock.Fault{Status: 500, Acted: true}))
			var all sync.WaitGroup
			for i := range goroutines {
				req := g.request("7", strconv.Itoa(i%messages))
				all.Go(func() {
					for _, v := range g.try(req).violations {
						t.Error(v)
					}
					g.server.Journal()
					g.server.SetConnection(mock.Connection{ID: strconv.Itoa(i % 10)})
					g.server.NextFor("8", strconv.Itoa(i), mock.Fault{Status: 500})
				})
			}
			all.Wait()
			acted := map[string]int{}
			for _, e := range g.server.Journal() {
				if e.Acted {
					acted[e.MessageID]++
				}
				if e.Status == http.StatusNotFound && g.server.Exists("7", e.MessageID) {
					t.Errorf("%s was called gone, and is not", e.MessageID)
				}
			}
			unsent := 0
			for i := range messages {
				id := strconv.Itoa(i)
				n := g.server.UnsentCount("7", id)
				if n > 1 || n != acted[id] || g.server.Exists("7", id) != (n == 0) {
					t.Errorf("%s unsent %d times, %d in the journal", id, n, acted[id])
				}
				unsent += n
			}
			if got := g.server.Counts(); got.Unsent != unsent || got.Requests != goroutines || unsent < messages-15 {
				t.Errorf("counts %+v, %d messages unsent", got, unsent)
			}
		})
	}
}
