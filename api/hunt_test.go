package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/unsend-go/unsend/api"
)

// hunt looks for the planted key in every printed form of v.
func hunt(t testing.TB, v any) {
	t.Helper()
	forms := map[string]string{}
	if result, ok := v.(*api.Result); ok {
		forms["request id"] = result.RequestID
		if _, err := result.Queue(); err != nil {
			forms["queue's error"] = fmt.Sprintf("%v %+v %#v", err, err, err)
		}
		short := *result
		short.Raw = short.Raw[:min(len(short.Raw), 64)] // bytes are printed as numbers, which takes its time
		v = &short
	}
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		forms[verb] = fmt.Sprintf(verb, v)
	}
	if text, err := json.Marshal(v); err == nil { // functions have no JSON
		forms["JSON"] = string(text)
	}
	var text, object bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("dump", "value", v)
	slog.New(slog.NewJSONHandler(&object, nil)).Info("dump", "value", v)
	forms["slog text"], forms["slog JSON"] = text.String(), object.String()

	if e, ok := v.(*api.Error); ok {
		for verb, form := range map[string]string{"value %v": "%v", "value %+v": "%+v", "value %#v": "%#v"} {
			forms[verb] = fmt.Sprintf(form, *e)
		}
		forms["body"] = string(e.Body())
		forms["fields"] = strings.Join([]string{e.Message, e.Type, e.RequestID, e.ActionRequired}, "\n")
	}
	for name, form := range forms {
		if strings.Contains(form, plantedKey) {
			t.Errorf("the key shows in %s of a %T", name, v)
		}
	}
}

// checkErrorText holds an error to one line of at most 400 bytes that a terminal can show.
func checkErrorText(t testing.TB, err error) {
	t.Helper()
	text := err.Error()
	if len(text) > 400 {
		t.Errorf("an error of %d bytes", len(text))
	}
	if !utf8.ValidString(text) {
		t.Errorf("an error that is not UTF-8: %q", text)
	}
	if i := strings.IndexFunc(text, unprintable); i >= 0 {
		t.Errorf("an error with %q in it", []rune(text[i:])[0])
	}
	if text != strings.TrimSpace(text) || text == "" {
		t.Errorf("an error with blanks around it: %q", text)
	}
}

// unprintable are characters that break a line or rearrange it.
func unprintable(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r)
}

// apiError is the *api.Error in err; there must be one.
func apiError(t testing.TB, err error) *api.Error {
	t.Helper()
	var e *api.Error
	if !errors.As(err, &e) {
		t.Fatalf("want an *api.Error, got %T: %v", err, err)
	}
	return e
}
