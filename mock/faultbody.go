package mock

import (
	"bytes"
	"net/http"
	"strings"
	"time"
)

const (
	oversize   = 9 << 20 // past the 8 MiB that a client may be expected to read
	slowPause  = time.Millisecond
	htmlPage   = "<!DOCTYPE html><html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"
	textPage   = "upstream connect error or disconnect before headers"
	successKey = `{"success":`
)

// answer renders the fault. What it says about the message is settled by now: exists tells
// whether it is still there.
func (f Fault) answer(x *exchange, plain []byte, exists bool) answer {
	if reason := f.invalid(); reason != "" {
		return x.refuse(http.StatusInternalServerError, "", "This scripted fault cannot be answered: "+reason)
	}
	a := answer{status: f.status(), contentType: mediaJSON, body: plain, retryAfter: f.retryAfter(x.s.now())}
	if a.status/100 == 3 {
		a.location = f.Location
		if a.location == "" {
			a.location = "/moved"
		}
	}
	if a.status >= 300 {
		a.kind = f.errorType(exists)
		a.body = f.errorBody(a.kind, x.entry.RequestID)
	}
	if a.status == http.StatusTooManyRequests {
		x.level.remaining = 0
	}
	if f.ownBody() && (!exists || !strings.Contains(f.Body, typeResourceNotFound)) {
		a.replace(f.Body)
	}
	f.mangle(&a, x.entry.Acted)
	if f.ContentType != "" {
		a.contentType = f.ContentType
	}
	if bodiless(a.status) {
		a.contentType = ""
	}
	return a
}

// replace sends other text, which has no error type to journal.
func (a *answer) replace(text string) { a.body, a.kind = []byte(text), "" }

// mangle does to the body what the kind says.
func (f Fault) mangle(a *answer, acted bool) {
	ok := a.status/100 == 2
	switch f.Kind {
	case Truncated, TruncatedLate:
		f.truncate(a)
	case Oversized:
		a.inflate()
	case OversizedLate:
		if ok {
			a.body = successLast(a.body, acted)
		}
		a.inflate()
	case Slow:
		a.pause = slowPause
		if f.Delay > 0 {
			a.pause = f.Delay
		}
	case Text:
		a.replace(textPage)
		a.contentType = "text/plain; charset=utf-8"
	case HTML:
		a.replace(htmlPage)
	case Null:
		a.replace("null")
	case Empty:
		a.replace("")
	case Mislabeled:
		a.contentType = "text/html; charset=utf-8"
	case Refused:
		if ok {
			a.body = []byte(successKey + "false}")
		}
	case SuccessLast:
		if ok {
			a.body = successLast(a.body, true)
		}
	default:
		if d, drifts := driftOf(f.Kind); drifts && ok {
			a.body = d.apply(a.body)
		}
	}
}

func (f Fault) truncate(a *answer) {
	keep := len(a.body)
	switch {
	case f.ownBody():
	case f.Kind == Truncated && a.status/100 == 2:
		keep = len(`{"succ`)
	default:
		keep = len(a.body) / 2
	}
	a.unsent = max(1, len(a.body)-keep)
	a.body = a.body[:keep]
}

// inflate opens the body inside its first text, for filler.
func (a *answer) inflate() {
	at := bytes.Index(a.body, []byte(`":"`))
	if at < 0 {
		at = len(a.body) - len(`":"`)
	}
	at += len(`":"`)
	a.body, a.tail, a.fill = a.body[:at], a.body[at:], oversize
}

// successLast moves "success" behind the snapshot.
func successLast(plain []byte, success bool) []byte {
	rest := bytes.TrimSuffix(bytes.TrimPrefix(plain, []byte(successKey+"true,")), []byte("}"))
	word := "false"
	if success {
		word = "true"
	}
	return []byte("{" + string(rest) + `,"success":` + word + "}")
}

func (f Fault) retryAfter(now time.Time) string {
	if f.RetryAfter == "" && f.RetryDate != 0 {
		return now.Add(f.RetryDate).UTC().Format(http.TimeFormat)
	}
	return f.RetryAfter
}
