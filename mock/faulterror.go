package mock

import (
	"net/http"
	"strings"

	"github.com/unsend-go/unsend/gen"
)

// documentedType is the error type of a status where the service documents exactly one that
// a fault may claim.
func documentedType(status int) string {
	switch status {
	case http.StatusBadRequest:
		return typeBadRequest
	case http.StatusUnauthorized:
		return typeUnauthorized
	case http.StatusForbidden:
		return typeForbidden
	case http.StatusNotFound:
		return typeRouteNotFound
	case http.StatusTooManyRequests:
		return typeRateLimitExceeded
	}
	return ""
}

func (f Fault) errorType(exists bool) string {
	switch {
	case f.Type == typeResourceNotFound && exists:
		return typeRouteNotFound
	case f.Type != "":
		return f.Type
	}
	return documentedType(f.status())
}

// sdkError is the shape that the vendor's SDKs read.
type sdkError struct {
	Message string `json:"message"`
	Code    string `json:"code"`
	Details any    `json:"details"`
}

func (f Fault) errorBody(kind, requestID string) []byte {
	text := http.StatusText(f.status())
	if text == "" {
		text = "Scripted fault"
	}
	code := kind
	if code == "" {
		code = strings.ReplaceAll(strings.ToUpper(text), " ", "_")
	}
	details := map[string]string{"reason": "scripted"}
	switch f.Shape {
	case ShapeEarlier:
		return encode(gen.ErrorBody{Error: text, Code: code, Details: details})
	case ShapeSDK:
		return encode(sdkError{Message: text, Code: code, Details: details})
	case ShapeCurrent:
	}
	return errorJSON(kind, text, requestID)
}
