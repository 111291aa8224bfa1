package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
)

type record struct {
	UserID      string          `json:"user_id"`
	MessageID   string          `json:"message_id"`
	Outcome     string          `json:"outcome"`
	RequestID   string          `json:"request_id"`
	Attempts    int             `json:"attempts"`
	MaybeUnsent bool            `json:"maybe_unsent"`
	Error       *errorRecord    `json:"error"`
	Response    json.RawMessage `json:"response"`
}

type errorRecord struct {
	Status         int     `json:"status"`
	Type           string  `json:"type"`
	Message        string  `json:"message"`
	RequestID      string  `json:"request_id"`
	ActionRequired string  `json:"action_required"`
	RetryAfter     float64 `json:"retry_after"` // seconds
}

type batchRecord struct {
	record

	ConnectionID string `json:"connection_id"`
	Line         int    `json:"line"`
	Ref          string `json:"ref"`
	Final        bool   `json:"final"` // it is never sent again
}

func newBatchRecord(result batch.Result, key string) batchRecord {
	return batchRecord{
		record:       newRecord(result, key),
		ConnectionID: result.Item.ConnectionID,
		Line:         result.Item.Line,
		Ref:          result.Item.Ref,
		Final:        result.Final,
	}
}

func newRecord(result batch.Result, key string) record {
	r := record{
		UserID:      result.Item.UserID,
		MessageID:   result.Item.MessageID,
		Outcome:     string(result.Outcome),
		RequestID:   result.RequestID,
		Attempts:    result.Attempts,
		MaybeUnsent: result.MaybeUnsent,
	}
	if r.Outcome == "" {
		r.Outcome = "open"
	}
	var body []byte
	if result.Response != nil {
		body = result.Response.Raw
	}
	if failure, ok := errors.AsType[*api.Error](result.Err); ok {
		r.Error = &errorRecord{
			Status:         failure.StatusCode,
			Type:           failure.Type,
			Message:        failure.Message,
			RequestID:      failure.RequestID,
			ActionRequired: failure.ActionRequired,
			RetryAfter:     failure.RetryAfter.Seconds(),
		}
		if result.Outcome == batch.Failed {
			body = failure.Body()
		}
	} else if result.Err != nil {
		r.Error = &errorRecord{Message: result.Err.Error()}
	}
	r.Response = asJSON(body, key)
	return r
}

// asJSON returns body as it came if it is JSON, otherwise as a JSON string; null if it is empty. A
// key that the server repeats is redacted.
func asJSON(body []byte, key string) json.RawMessage {
	if key != "" {
		body = bytes.ReplaceAll(body, []byte(key), []byte("[redacted]"))
	}
	switch {
	case len(body) == 0:
		return json.RawMessage("null")
	case json.Valid(body):
		return body
	}
	text, _ := json.Marshal(string(body)) // a string can always be written
	return text
}

// writeJSON writes v and a newline, indented unless indent is empty.
func writeJSON(w io.Writer, v any, indent string) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if enc.Encode(v) == nil {
		_, _ = w.Write(escapeJSON(text.Bytes()))
	}
}

// escapeJSON escapes characters that are not safe on a terminal, and bytes that are not UTF-8. Valid
// JSON has them in strings only.
func escapeJSON(text []byte) []byte {
	var b bytes.Buffer
	for _, r := range string(text) {
		if r == '\n' || r != utf8.RuneError && !unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.Bytes()
}
