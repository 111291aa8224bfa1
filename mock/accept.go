package mock

import (
	"bytes"
	"net/http"
	"strings"
	"sync"

	"github.com/unsend-go/unsend/contract"
	"github.com/unsend-go/unsend/internal/ids"
)

// longestReason bounds the text of a 400.
const longestReason = 500

// accepter holds requests against the contract. Most requests look alike, and are seen to be
// sound without asking the validator; it has the word on all others.
type accepter struct {
	once      sync.Once
	validator *contract.Validator
	err       error
}

func (c *accepter) check(r *http.Request, userID, messageID string, body []byte) *refusal {
	if plainlySound(r, userID, messageID, body) {
		return nil
	}
	c.once.Do(func() { c.validator, c.err = contract.New() })
	if c.err != nil {
		return &refusal{status: http.StatusInternalServerError, text: "The contract cannot be read: " + c.err.Error()}
	}
	violations := c.validator.CheckRequest(r)
	if len(violations) == 0 {
		return nil
	}
	reasons := make([]string, len(violations))
	for i, v := range violations {
		reasons[i] = v.String()
	}
	text := strings.Join(reasons, "; ")
	return badRequest(text[:min(len(text), longestReason)])
}

// plainlySound accepts a part of what the contract accepts, cheaply: the operation with plain
// ids, the one media type, and a body of nothing but a plain withUserId.
func plainlySound(r *http.Request, userID, messageID string, body []byte) bool {
	contentType := r.Header["Content-Type"]
	return len(contentType) == 1 && contentType[0] == mediaJSON &&
		r.URL.RawPath == "" &&
		len(r.Header["Apikey"]) == 1 && len(r.Header["X-Connection-Id"]) == 1 &&
		ids.Check(userID) == nil && ids.Check(messageID) == nil && plainBody(body)
}

// plainBody is {"withUserId":"…"} or {"withUserId":123}, blanks allowed.
func plainBody(body []byte) bool {
	body, ok := inside(body, "{", "}")
	if !ok {
		return false
	}
	value, ok := bytes.CutPrefix(body, []byte(`"withUserId"`))
	if !ok {
		return false
	}
	value, ok = bytes.CutPrefix(trim(value), []byte(":"))
	if !ok {
		return false
	}
	value = trim(value)
	if quoted, ok := inside(value, `"`, `"`); ok {
		return ids.Check(string(quoted)) == nil
	}
	_, ok = decimal(string(value))
	return ok
}

// inside cuts blanks, both marks, and the blanks within.
func inside(text []byte, open, end string) ([]byte, bool) {
	text, ok := bytes.CutPrefix(trim(text), []byte(open))
	if !ok {
		return nil, false
	}
	text, ok = bytes.CutSuffix(text, []byte(end))
	return trim(text), ok
}

func trim(text []byte) []byte { return bytes.Trim(text, " \t\r\n") }
