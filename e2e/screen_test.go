//go:build browser

package e2e

import (
	"bytes"
	"image/color"
	"image/png"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// screen is what a page is shown on: a phone if it is narrow.
type screen struct {
	width, height int64
	scheme        string // light or dark
}

// show opens a page on a screen, and waits until it shows a part.
func (b *browser) show(t *testing.T, s screen, url string, part chromedp.CSS) {
	t.Helper()
	viewport := chromedp.EmulateViewport(s.width, s.height)
	if s.width < 500 {
		viewport = chromedp.EmulateViewport(s.width, s.height, chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	scheme := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: s.scheme}}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, scheme); err != nil {
		t.Fatal(err)
	}
	b.do(t, viewport, chromedp.Navigate(url), chromedp.WaitVisible(part))
}

// wantFits fails if the page is wider than the screen.
func (b *browser) wantFits(t *testing.T, s screen) {
	t.Helper()
	width, err := chromedp.Run(b.ctx, chromedp.Evaluate[int64]("document.documentElement.scrollWidth"))
	if err != nil || width > s.width {
		t.Errorf("%+v: the page is %d wide: %v", s, width, err)
	}
}

// wantReadable looks at the pixels of elements: text and background differ, and most of each is dark
// by night and light by day.
func (b *browser) wantReadable(t *testing.T, s screen, elements ...chromedp.CSS) {
	t.Helper()
	for _, element := range elements {
		shot, err := chromedp.Run(b.ctx, chromedp.Screenshot(element))
		if err != nil {
			t.Fatalf("%+v: %s: %v", s, element, err)
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
			t.Errorf("%+v: %s differs from its background by %d of 255, want at least 70", s, element, contrast)
		}
		dark := s.scheme == "dark"
		if element != execute && element != code && (background < 128) != dark {
			t.Errorf("%+v: %s has a background of %d of 255, want it dark: %v", s, element, background, dark)
		}
	}
}
