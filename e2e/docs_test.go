//go:build browser

package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// What Swagger UI calls the parts of its page.
const (
	operation    chromedp.CSS = `.opblock-delete`
	execute      chromedp.CSS = `button.execute`
	liveStatus   chromedp.CSS = `.live-responses-table tr.response .response-col_status`
	liveBody     chromedp.CSS = `.live-responses-table tr.response .highlight-code`
	authorize    chromedp.CSS = `.auth-wrapper button.authorize`
	dialog       chromedp.CSS = `.dialog-ux .modal-ux-content`
	closeDialog  chromedp.CSS = `.dialog-ux button.btn-done`
	noteOnGone   chromedp.CSS = `#mock-note.gone`
	servers      chromedp.CSS = `.servers select`
	code         chromedp.CSS = `.highlight-code`
	documentedOK chromedp.CSS = `.responses-table:not(.live-responses-table) tr.response[data-code="200"]`
)

// TestReference opens the API reference that `unsend mock` serves, reads it, and tries the
// operation: the message is unsent once, and gone then.
func TestReference(t *testing.T) {
	url := startMock(t)
	page := openBrowser(t)

	page.do(t, chromedp.Navigate(url+"/docs/"), chromedp.WaitVisible(documentedOK))
	wantAll(t, "operation", page.text(t, operation), "DELETE", "/v2/access/chats/{userId}/messages/{messageId}", "Unsend chat message")
	wantAll(t, "response's shape", page.text(t, documentedOK), "success", "queue", "fromUser", "releaseForms")

	wantAll(t, "server", page.text(t, servers), url, "mock")

	page.do(t, chromedp.Click(authorize), chromedp.WaitVisible(dialog))
	credentials := page.text(t, dialog)
	wantAll(t, "credentials", credentials, "apiKey", "x-connection-id", "Authorized")
	if got := strings.Count(credentials, "Logout"); got != 2 {
		t.Errorf("%d credentials are filled in, want 2:\n%s", got, credentials)
	}
	page.do(t, chromedp.Click(closeDialog), chromedp.WaitNotPresent(dialog))

	page.do(t, chromedp.Click(execute), shows(liveStatus, "200"))
	wantAll(t, "first response", page.text(t, liveBody), `"success": true`)
	if errors := page.copied(&page.console); len(errors) > 0 {
		t.Errorf("the console shows errors: %q", errors)
	}

	page.do(t, chromedp.Click(execute), shows(liveStatus, "404"))
	wantAll(t, "second response", page.text(t, liveBody), "RESOURCE_NOT_FOUND")
	wantAll(t, "note", page.text(t, noteOnGone), "mock", "because the message is gone", "messageId")
	if exceptions := page.copied(&page.thrown); len(exceptions) > 0 {
		t.Errorf("the page threw: %q", exceptions)
	}
	wantOneHost(t, url, page.copied(&page.asked))
}

// TestReferenceFitsScreens opens the page on a phone and on a desktop, by day and by night: the note
// that explains a 404 is in sight when it comes.
func TestReferenceFitsScreens(t *testing.T) {
	url := startMock(t)
	for _, s := range []screen{{390, 844, "light"}, {1280, 900, "dark"}} {
		page := openBrowser(t)
		page.show(t, s, url+"/docs/", documentedOK)
		page.wantReadable(t, s,
			`.parameters-col_description input`, `.servers select`, `.opblock-body textarea`, `.opblock-summary-path`, `.info .title`, `.info p`,
			execute, authorize, documentedOK, code, `#mock-note`)
		for range 2 {
			page.do(t, chromedp.Click(execute), chromedp.WaitVisible(liveStatus))
		}
		page.do(t, shows(liveStatus, "404"), chromedp.WaitVisible(noteOnGone))
		page.wantFits(t, s)
		wrong, err := chromedp.Run(page.ctx, chromedp.Evaluate[string](`(() => {
			const note = document.querySelector("#mock-note.gone").getBoundingClientRect()
			return [
				(note.top < 0 || note.bottom > innerHeight) && "the note that explains the 404 is out of sight",
				note.height > innerHeight * 0.09 && "the note covers a tenth of the screen",
			].filter(Boolean).join("; ")
		})()`))
		if err != nil || wrong != "" {
			t.Errorf("%+v: %s %v", s, wrong, err)
		}
	}
}

// shows waits until an element shows a text.
func shows(element chromedp.CSS, text string) chromedp.Action[chromedp.Void] {
	return chromedp.Poll[chromedp.Void]("document.querySelector(`" + string(element) + "`)?.innerText.includes('" + text + "')")
}

func wantAll(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("the %s does not show %q:\n%s", what, part, text)
		}
	}
}

// wantOneHost fails unless there were requests, and all of them went to url.
func wantOneHost(t *testing.T, url string, requests []string) {
	t.Helper()
	if len(requests) < 6 {
		t.Errorf("%d requests were seen, want the page, its parts, the contract and two calls: %q", len(requests), requests)
	}
	for _, request := range requests {
		if !strings.HasPrefix(request, url+"/") && !strings.HasPrefix(request, "data:") {
			t.Errorf("the page sent a request to another host: %s", request)
		}
	}
}
