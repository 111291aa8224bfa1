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
	documentedOK chromedp.CSS = `.responses-table:not(.live-responses-table) tr.response[data-code="200"]`
)

// TestReference opens the API reference that `unsend mock` serves, reads it, and tries the
// operation: the message is unsent once, and gone then.
func TestReference(t *testing.T) {
	url := startMock(t)
	page := openBrowser(t)

	page.do(t, chromedp.Navigate(url+"/docs/"), chromedp.WaitVisible(documentedOK))
	wantAll(t, "operation", page.text(t, operation), "DELETE", "/v2/access/chats/{userId}/messages/{messageId}", "Unsend chat message")
	wantAll(t, "answer's shape", page.text(t, documentedOK), "success", "queue", "fromUser", "releaseForms")

	page.do(t, chromedp.Click(authorize), chromedp.WaitVisible(dialog))
	credentials := page.text(t, dialog)
	wantAll(t, "credentials", credentials, "apiKey", "x-connection-id", "Authorized")
	if got := strings.Count(credentials, "Logout"); got != 2 {
		t.Errorf("%d credentials are filled in, want 2:\n%s", got, credentials)
	}
	page.do(t, chromedp.Click(closeDialog), chromedp.WaitNotPresent(dialog))

	page.do(t, chromedp.Click(execute), shows(liveStatus, "200"))
	wantAll(t, "first answer", page.text(t, liveBody), `"success": true`)
	if errors := page.consoleErrors(); len(errors) > 0 {
		t.Errorf("the console shows errors: %q", errors)
	}

	page.do(t, chromedp.Click(execute), shows(liveStatus, "404"))
	wantAll(t, "second answer", page.text(t, liveBody), "RESOURCE_NOT_FOUND")
	if exceptions := page.exceptions(); len(exceptions) > 0 {
		t.Errorf("the page threw: %q", exceptions)
	}
	wantOneHost(t, url, page.requests())
}

// TestCredentialsCanBeEntered replaces the key that is filled in by one that the mock refuses.
func TestCredentialsCanBeEntered(t *testing.T) {
	url := startMock(t)
	page := openBrowser(t)
	const (
		first chromedp.CSS = `.dialog-ux .auth-container:first-child button.auth`
		input chromedp.CSS = `.dialog-ux .auth-container:first-child input`
	)
	page.do(t,
		chromedp.Navigate(url+"/docs/"),
		chromedp.WaitVisible(documentedOK),
		chromedp.Click(authorize),
		chromedp.WaitVisible(dialog),
		chromedp.Click(first), // logs out
		chromedp.WaitVisible(input),
		chromedp.SendKeys(input, "sk_sandbox_other"),
		chromedp.Click(first),
		chromedp.WaitNotPresent(input),
		chromedp.Click(closeDialog),
		chromedp.Click(execute),
		shows(liveStatus, "401"),
	)
	wantAll(t, "answer", page.text(t, liveBody), "UNAUTHORIZED")
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

// wantOneHost asks that requests, of which there were some, went to url alone.
func wantOneHost(t *testing.T, url string, requests []string) {
	t.Helper()
	if len(requests) < 6 {
		t.Errorf("%d requests were seen, want the page, its parts, the contract and two calls: %q", len(requests), requests)
	}
	for _, request := range requests {
		if !strings.HasPrefix(request, url+"/") && !strings.HasPrefix(request, "data:") {
			t.Errorf("the page asked another host: %s", request)
		}
	}
}
