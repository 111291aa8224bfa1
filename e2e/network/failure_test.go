package network

import (
	"errors"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// failure is the *api.Error that err must be, on one line and without the key.
func failure(t *testing.T, err error) *api.Error {
	t.Helper()
	var e *api.Error
	if !errors.As(err, &e) {
		t.Fatalf("want an *api.Error, got %T: %v", err, err)
	}
	if text := e.Error(); len(text) > 400 || strings.ContainsAny(text, "\r\n") || strings.Contains(text, mock.DemoKey) {
		t.Errorf("the error is no clear line: %q", text)
	}
	return e
}
