//go:build browser

package e2e

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
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

// TestPageFitsScreens opens the page on a phone and on a desktop, by day and by night: nothing
// is wider than the screen, and the note that explains a 404 is in sight when it comes.
func TestPageFitsScreens(t *testing.T) {
	url := startMock(t)
	for _, screen := range []struct {
		name          string
		width, height int64
		scheme        string
	}{
		{"phone", 390, 844, "light"},
		{"desktop-dark", 1280, 900, "dark"},
	} {
		page := openBrowser(t)
		phone := chromedp.EmulateViewport(screen.width, screen.height)
		if screen.width < 500 {
			phone = chromedp.EmulateViewport(screen.width, screen.height, chromedp.EmulateMobile, chromedp.EmulateTouch)
		}
		scheme := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: screen.scheme}}}
		if _, err := chromedp.Call(page.ctx, emulation.SetEmulatedMedia, scheme); err != nil {
			t.Fatal(err)
		}
		page.do(t, phone, chromedp.Navigate(url+"/docs/"), chromedp.WaitVisible(documentedOK))
		for _, part := range []chromedp.CSS{
			`.parameters-col_description input`, `.servers select`, `.opblock-body textarea`, `.opblock-summary-path`, `.info .title`, `.info p`,
			execute, authorize, documentedOK, code, `#mock-note`,
		} {
			page.wantReadable(t, screen.name, part, screen.scheme == "dark")
		}
		for range 2 {
			page.do(t, chromedp.Click(execute), chromedp.WaitVisible(liveStatus))
		}
		page.do(t, shows(liveStatus, "404"), chromedp.WaitVisible(noteOnGone))
		wrong, err := chromedp.Run(page.ctx, chromedp.Evaluate[string](fmt.Sprintf(`(() => {
			const note = document.querySelector("#mock-note.gone").getBoundingClientRect()
			return [
				document.documentElement.scrollWidth > %d && "the page is wider than the screen",
				(note.top < 0 || note.bottom > innerHeight) && "the note that explains the 404 is out of sight",
				note.height > innerHeight * 0.09 && "the note covers a tenth of the screen",
			].filter(Boolean).join("; ")
		})()`, screen.width)))
		if err != nil || wrong != "" {
			t.Errorf("%s: %s %v", screen.name, wrong, err)
		}
	}
}

// wantReadable looks at the pixels of an element: text and background differ, and most of it is
// dark by night and light by day.
func (b *browser) wantReadable(t *testing.T, screen string, element chromedp.CSS, dark bool) {
	t.Helper()
	shot, err := chromedp.Run(b.ctx, chromedp.Screenshot(element))
	if err != nil {
		t.Fatalf("%s: %s: %v", screen, element, err)
	}
	img, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	var luminance []int
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			gray, _ := color.GrayModel.Convert(img.At(x, y)).(color.Gray)
			luminance = append(luminance, int(gray.Y))
		}
	}
	slices.Sort(luminance)
	background, n := luminance[len(luminance)/2], len(luminance)
	contrast := max(luminance[n-1-n/1000]-background, background-luminance[n/1000]) // text covers little of it
	if contrast < 70 {
		t.Errorf("%s: %s differs from its background by %d of 255, want at least 70", screen, element, contrast)
	}
	if element != execute && element != code && (background < 128) != dark {
		t.Errorf("%s: %s has a background of %d of 255, want it dark: %v", screen, element, background, dark)
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
