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
	kept := func(raw json.RawMessage) string { return cut(redact(text(raw)), maxErrorBody) }
	if json.Unmarshal(body, &shape) == nil {
		e.Message = joinDistinct(kept(shape.Error), kept(shape.Message))
		e.Type = kept(shape.Type)
		if e.Type == "" {
			e.Type = kept(shape.Code)
		}
		e.ActionRequired = kept(shape.ActionRequired)
		if id := kept(shape.RequestID); id != "" {
			e.RequestID = id
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
