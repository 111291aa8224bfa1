package mock

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/unsend-go/unsend/gen"
)

// Error types that the service documents.
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
)

const mediaJSON = "application/json"

// answer is what goes out: body, then fill bytes of filler, then tail.
type answer struct {
	status      int
	kind        string // the error type, for the journal
	contentType string
	retryAfter  string
	location    string
	body        []byte
	fill        int
	tail        []byte
	unsent      int           // bytes of the declared length that never come: the connection breaks
	pause       time.Duration // before each byte
}

// refuse is an error in the documented shape.
func (x *exchange) refuse(status int, kind, text string) answer {
	return answer{status: status, kind: kind, contentType: mediaJSON, body: errorJSON(kind, text, x.entry.RequestID)}
}

func errorJSON(kind, text, requestID string) []byte {
	e := gen.ErrorBody{Error: text, Type: kind, RequestID: requestID}
	if kind == typeSessionExpired {
		e.ActionRequired = "refresh_session"
	}
	return encode(e)
}

// encode writes JSON that can always be written.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return []byte(`{"error":` + strconv.Quote(err.Error()) + `}`)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func (a answer) write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if a.contentType != "" {
		h.Set("Content-Type", a.contentType)
	}
	if a.retryAfter != "" {
		h.Set("Retry-After", a.retryAfter)
	}
	if a.location != "" {
		h.Set("Location", a.location)
	}
	if bodiless(a.status) {
		w.WriteHeader(a.status)
		return
	}
	if a.fill == 0 {
		h.Set("Content-Length", strconv.Itoa(len(a.body)+len(a.tail)+a.unsent))
	}
	w.WriteHeader(a.status)
	if err := a.writeBody(w, r); err != nil || a.unsent > 0 {
		flush(w)
		panic(http.ErrAbortHandler)
	}
}

func (a answer) writeBody(w http.ResponseWriter, r *http.Request) error {
	if a.pause > 0 {
		return trickle(r.Context(), w, a.body, a.pause)
	}
	if _, err := w.Write(a.body); err != nil {
		return err
	}
	if a.fill == 0 {
		return nil
	}
	chunk := bytes.Repeat([]byte("a"), 64<<10)
	for left := a.fill; left > 0; left -= len(chunk) {
		if _, err := w.Write(chunk[:min(left, len(chunk))]); err != nil {
			return err
		}
	}
	_, err := w.Write(a.tail)
	return err
}

func trickle(ctx context.Context, w http.ResponseWriter, body []byte, pause time.Duration) error {
	flush(w)
	for i := range body {
		if !sleep(ctx, pause) {
			return ctx.Err()
		}
		if _, err := w.Write(body[i : i+1]); err != nil {
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
