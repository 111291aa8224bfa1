package api

import (
	"bytes"
	"encoding/json"
)

// describe fills e from an error's body. It reads the current shape (error, type, requestId,
// actionRequired), the earlier edition's (error, code, details) and the one that the
// vendor's own SDKs expect (message, code, details). A member of an unexpected type, or a
// body that is no JSON, is kept as text.
func (e *Error) describe(body []byte, redact func(string) string) {
	var shape struct {
		Error, Message, Type, Code, RequestID, ActionRequired json.RawMessage
	}
	if json.Unmarshal(body, &shape) == nil {
		e.Message = redact(joinDistinct(text(shape.Error), text(shape.Message)))
		e.Type = redact(text(shape.Type))
		if e.Type == "" {
			e.Type = redact(text(shape.Code))
		}
		e.ActionRequired = redact(text(shape.ActionRequired))
		if id := text(shape.RequestID); id != "" {
			e.RequestID = redact(id)
		}
	}
	redacted := redact(string(body))
	e.body = []byte(redacted[:min(len(redacted), maxErrorBody)]) // a copy, so that the rest can go
	// An object with a 2xx may hold a message's text, which no error shows.
	secret := e.StatusCode/100 == 2 && bytes.HasPrefix(bytes.TrimLeft(body, jsonSpace), []byte("{"))
	if oneLine(e.Message) == "" && !secret {
		e.Message = cut(oneLine(string(e.body)), maxErrorText)
	}
}

// text returns a JSON string's content, nothing for null, and any other value as it stands.
func text(raw json.RawMessage) string {
	var s *string
	if json.Unmarshal(raw, &s) == nil {
		if s == nil {
			return ""
		}
		return *s
	}
	return string(bytes.TrimSpace(raw))
}

func joinDistinct(a, b string) string {
	if a == "" || a == b {
		return b
	}
	if b == "" {
		return a
	}
	return a + ": " + b
}
