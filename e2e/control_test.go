//go:build browser

package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// webSite serves one empty page, on an origin of its own, with the functions that suites in a
// browser use. The mock is named by the query.
func webSite(t *testing.T) string {
	t.Helper()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<!DOCTYPE html><title>suite</title><script>
			const base = location.search.slice(1)
			const control = (method, path, body) =>
				fetch(base + "/_mock/" + path, { method, body: body && JSON.stringify(body) }).then(r => r.json())
			const unsend = (user, message) => fetch(base + "/v2/access/chats/" + user + "/messages/" + message, {
				method: "DELETE",
				headers: { apiKey: "sk_sandbox_demo", "x-connection-id": "conn_demo", "Content-Type": "application/json" },
				body: JSON.stringify({ withUserId: user }),
			})
			const tried = promise => promise.then(() => "allowed", () => "refused")
		</script>`)
	}))
	t.Cleanup(site.Close)
	return site.URL
}

// eval runs an async function of the page, whose result is text.
func (b *browser) eval(t *testing.T, body string) string {
	t.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`(async () => { `+body+` })()`, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return text
}

// TestSuiteInABrowser is a test as a front end has it: it scripts faults and asserts what was sent.
func TestSuiteInABrowser(t *testing.T) {
	site := webSite(t)
	mock := startMock(t, "--quiet", "--control", "--cors", site)
	page := openBrowser(t)
	page.do(t, chromedp.Navigate(site+"?"+mock))
	// Not drop: a browser sends a request again by itself when a connection that it had kept is closed.
	got := page.eval(t, `
		await control("POST", "faults", ["503,retry-after=5", "truncated,acted"])
		const first = await unsend("7", "9"), lost = await tried(unsend("7", "9").then(response => response.json()))
		const { requests, total } = await control("GET", "requests?userId=7")
		await control("POST", "reset")
		const last = await unsend("7", "9")
		return [first.status, first.headers.get("Retry-After"), lost, total, requests[1].acted, requests[1].headers.apikey,
			requests[1].headers.origin === location.origin, last.status, (await last.json()).success].join()`)
	if want := "503,5,refused,2,true,,true,200,true"; got != want {
		t.Errorf("the suite saw %s, want %s", got, want)
	}
}

// TestPagesThatMayNotControl: of an origin that --cors does not name, or only by *.
func TestPagesThatMayNotControl(t *testing.T) {
	for _, row := range []struct{ cors, api string }{{"http://localhost:5173", "refused"}, {"*", "allowed"}} {
		mock := startMock(t, "--quiet", "--control", "--cors", row.cors)
		page := openBrowser(t)
		page.do(t, chromedp.Navigate(webSite(t)+"?"+mock))
		send(t, http.MethodPost, mock+"/_mock/faults", `["delay=1ms"]`)
		got := page.eval(t, `
			const api = await tried(unsend("7", "9"))
			const results = [api]
			for (const [method, path] of [["GET", "requests"], ["POST", "reset"], ["DELETE", "faults"], ["PUT", "messages/7/9"]]) {
				results.push(await tried(fetch(base + "/_mock/" + path, { method })))
			}
			await tried(fetch(base + "/_mock/reset", { method: "POST", mode: "no-cors" })) // sent without asking first
			await tried(fetch(base + "/_mock/faults", { method: "POST", mode: "no-cors", body: '["500"]' }))
			return results.join()`)
		if want := row.api + ",refused,refused,refused,refused"; got != want {
			t.Errorf("--cors %s: API and control are %s, want %s", row.cors, got, want)
		}
		want := `{"pending":1,"requests":1}` // the preflight of the page, which got a 404
		if row.api == "allowed" {
			want = `{"pending":0,"requests":1}`
		}
		if state := send(t, http.MethodGet, mock+"/_mock/", ""); state != want {
			t.Errorf("--cors %s: the mock is at %s, want %s", row.cors, state, want)
		}
	}
}

func send(t *testing.T, method, url, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Timeout: patience}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %d %s %v", method, url, resp.StatusCode, text, err)
	}
	return strings.TrimSpace(string(text))
}
