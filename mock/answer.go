package mock

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Error types of openapi.yaml.
const (
	typeBadRequest         = "BAD_REQUEST"
	typeUnauthorized       = "UNAUTHORIZED"
	typeSessionNotProvided = "SESSION_NOT_PROVIDED"
	typeSessionExpired     = "SESSION_EXPIRED"
	typeRulesOutdated      = "RULES_OUTDATED"
	typeForbidden          = "FORBIDDEN"
	typeResourceNotFound   = "RESOURCE_NOT_FOUND"
	typeRouteNotFound      = "ROUTE_NOT_FOUND"
	typeRateLimitExceeded  = "RATE_LIMIT_EXCEEDED"

	typeNotImplemented = "NOT_IMPLEMENTED" // the mock's own
)

const mediaJSON = "application/json"

// answer is what goes out.
type answer struct {
	status      int
	kind        string // the error type, for the journal
	contentType string
	retryAfter  string
	location    string
	body        []byte
	missing     int           // bytes of the declared length that never come: the connection breaks
	pause       time.Duration // before each byte
	acted       bool          // this request took the message away
	scripted    bool          // body is the fault's own
	dropped     bool          // nothing goes out: the connection breaks
}

func (a *answer) succeeds() bool { return a.status/100 == 2 }

// failure is the documented example of an error, with this request's id, and with text in
// place of its own unless that is empty.
func (x *exchange) failure(status int, kind, text string) answer {
	body := x.op.failure(status, kind)
	if text != "" {
		body = body.with("error", quote(text))
	}
	body = body.with("requestId", quote(x.entry.RequestID))
	return answer{status: status, kind: textOf(body.get("type")), contentType: mediaJSON, body: body.json()}
}

// faulty renders a fault. What it means for the message is settled by now: exists tells whether
// the message is still there.
func (x *exchange) faulty(f Fault, plain []byte, exists bool) answer {
	if reason := f.invalid(); reason != "" {
		return x.failure(http.StatusInternalServerError, "", "This scripted fault cannot be answered: "+reason)
	}
	a := answer{status: f.status(), contentType: mediaJSON, body: plain}
	if a.status >= 300 {
		a = x.failure(a.status, f.errorType(exists), "")
		a.reshape(f)
	}
	a.acted = x.entry.Acted
	a.retryAfter = f.RetryAfter
	if f.RetryAfter == "" && f.RetryDate != 0 {
		a.retryAfter = x.s.now().Add(f.RetryDate).UTC().Format(http.TimeFormat)
	}
	if a.status/100 == 3 {
		a.location = cmp.Or(f.Location, "/moved")
	}
	if a.status == http.StatusTooManyRequests {
		x.level.remaining = 0
	}
	if f.sendsBody() && (!exists || !strings.Contains(f.Body, typeResourceNotFound)) {
		a.replace(f.Body)
		a.scripted = true
	}
	f.Kind.row().apply(&a, f)
	if bodiless(a.status) {
		a.kind = ""
	}
	if f.ContentType != "" {
		a.contentType = f.ContentType
	}
	return a
}

// errorType is the type that a fault asks for, or "" for that of its status. That a message is
// gone is said only where it is.
func (f Fault) errorType(exists bool) string {
	if f.Type == typeResourceNotFound && exists || f.Type == "" && f.Status == http.StatusNotFound {
		return typeRouteNotFound
	}
	return f.Type
}

// reshape gives an error the members of the fault's shape.
func (a *answer) reshape(f Fault) {
	if f.Shape == ShapeCurrent {
		return
	}
	example := parseObject(a.body)
	code := quote(cmp.Or(a.kind, strings.ReplaceAll(strings.ToUpper(http.StatusText(a.status)), " ", "_")))
	details := example.get("details")
	if details == nil {
		details = json.RawMessage(`{"reason":"scripted"}`)
	}
	text := "error"
	if f.Shape == ShapeSDK {
		text = "message"
	}
	a.body = object{{text, example.get("error")}, {"code", code}, {"details", details}}.json()
}

// replace sends other text, which has no error type to journal.
func (a *answer) replace(text string) { a.body, a.kind = []byte(text), "" }

func (a *answer) write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	for name, value := range map[string]string{"Content-Type": a.contentType, "Retry-After": a.retryAfter, "Location": a.location} {
		if value != "" {
			h.Set(name, value)
		}
	}
	if bodiless(a.status) {
		h.Del("Content-Type")
		w.WriteHeader(a.status)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(a.body)+a.missing))
	w.WriteHeader(a.status)
	if err := a.writeBody(w, r); err != nil || a.missing > 0 {
		flush(w)
		panic(http.ErrAbortHandler)
	}
}

func (a *answer) writeBody(w http.ResponseWriter, r *http.Request) error {
	if a.pause == 0 {
		_, err := w.Write(a.body)
		return err
	}
	flush(w)
	for i := range a.body {
		if !sleep(r.Context(), a.pause) {
			return r.Context().Err()
		}
		if _, err := w.Write(a.body[i : i+1]); err != nil {
			return err
		}
		flush(w)
	}
	return nil
}

// sleep reports whether the time passed before the client left.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// flush is best effort: a writer that cannot flush sends everything at the end.
func flush(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }

func bodiless(status int) bool {
	return status == http.StatusNoContent || status == http.StatusResetContent || status == http.StatusNotModified
}
