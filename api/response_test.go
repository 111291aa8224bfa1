package api_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/unsend-go/unsend/api"
)

// filler is a JSON string's content of n bytes.
func filler(n int) string { return strings.Repeat("x", n) }

// TestUnreadableSuccess has answers that say with their status that all is well, and in their
// body nothing.
func TestUnreadableSuccess(t *testing.T) {
	header := http.Header{"X-Request-Id": {"req_odd"}}
	for name, c := range map[string]struct {
		status      int
		contentType string
		body        string
	}{
		"an HTML page":              {200, "text/html", "<!DOCTYPE html><h1>It works!</h1>"},
		"an HTML page as JSON":      {200, "application/json", "<html></html>"},
		"null":                      {200, "application/json", "null"},
		"true":                      {200, "application/json", "true"},
		"a string":                  {200, "application/json", `"success"`},
		"an array":                  {200, "application/json", `[{"success":true}]`},
		"an empty object":           {200, "application/json", "{}"},
		"an empty body":             {200, "application/json", ""},
		"blanks":                    {200, "application/json", " \n "},
		"no content":                {204, "", ""},
		"reset content":             {205, "", ""},
		"a 201 without":             {201, "application/json", `{"id":1}`},
		"success as a string":       {200, "application/json", `{"success":"true"}`},
		"success as a number":       {200, "application/json", `{"success":1}`},
		"success null":              {200, "application/json", `{"success":null}`},
		"success in an object":      {200, "application/json", `{"success":{"success":true}}`},
		"success in an array":       {200, "application/json", `{"success":[true]}`},
		"success below":             {200, "application/json", `{"queue":{"success":true}}`},
		"success in a text":         {200, "application/json", `{"text":"\"success\":true"}`},
		"another case":              {200, "application/json", `{"Success":true}`},
		"a longer name":             {200, "application/json", `{"successful":true}`},
		"cut in the name":           {200, "application/json", `{"succ`},
		"cut behind the name":       {200, "application/json", `{"success":`},
		"cut in the value":          {200, "application/json", `{"success":tru`},
		"cut in what comes first":   {200, "application/json", `{"queue":{"id":1},"te`},
		"no JSON behind true":       {200, "application/json", `{"success":trueish}`},
		"a number behind true":      {200, "application/json", `{"queue":{},"success":true1}`},
		"an array's end":            {200, "application/json", `{"success":true]`},
		"a text behind true":        {200, "application/json", `{"success":true"x"}`},
		"a second comma":            {200, "application/json", `{"a":1,,"success":true}`},
		"no colon":                  {200, "application/json", `{"success" true}`},
		"behind what is no JSON":    {200, "application/json", `{"a":nul,"success":true}`},
		"single quotes":             {200, "application/json", `{'success':true}`},
		"a byte order mark":         {200, "application/json", "\ufeff" + `{"success":true}`},
		"nested past any depth":     {200, "application/json", `{"queue":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `,"success":true}`},
		"an error's body":           {200, "application/json", `{"error":"Message not found","type":"RESOURCE_NOT_FOUND"}`},
		"lines of JSON":             {200, "application/x-ndjson", `{"a":1}` + "\n" + `{"success":true}`},
		"a 226":                     {226, "application/json", `{}`},
		"the limit before success":  {200, "application/json", `{"queue":{"text":"` + filler(api.MaxBody) + `"},"success":true}`},
		"the limit, and not JSON":   {200, "text/html", filler(api.MaxBody + 1)},
		"success across the limit":  {200, "application/json", `{"a":"` + filler(api.MaxBody-len(`{"a":"","success":tr`)) + `","success":true}`},
		"a name across the limit":   {200, "application/json", `{"a":"` + filler(api.MaxBody-len(`{"a":"","succ`)) + `","success":true}`},
		"opened and never closed":   {200, "application/json", strings.Repeat(`{"a":`, 1000)},
		"an unterminated long name": {200, "application/json", `{"` + filler(1<<20)},
	} {
		t.Run(name, func(t *testing.T) {
			h := header.Clone()
			h["Content-Type"] = []string{c.contentType}
			e := fail(t, c.status, h, c.body)
			if !errors.Is(e, api.ErrUnexpectedResponse) || !e.MaybeUnsent || e.RequestID != "req_odd" || e.Attempts != 1 {
				t.Errorf("%v; MaybeUnsent %v, attempts %d, request id %q", e, e.MaybeUnsent, e.Attempts, e.RequestID)
			}
			if len(c.body) > api.MaxBody && !strings.Contains(e.Error(), "larger than 8 MiB") {
				t.Errorf("%v does not name the limit", e)
			}
		})
	}
}

// TestMarkupOnEveryStatus is a proxy's page in the place of the service's answer.
func TestMarkupOnEveryStatus(t *testing.T) {
	for _, contentType := range []string{"text/html", "application/json", ""} {
		for _, status := range []int{200, 201, 302, 400, 401, 403, 404, 408, 418, 422, 429, 500, 502, 503, 504, 520, 599} {
			header := http.Header{"Content-Type": {contentType}, "X-Request-Id": {"req_html"}}
			e := fail(t, status, header, "<html><body>RESOURCE_NOT_FOUND <b>success</b>: true</body></html>")
			if e.Type != "" || e.RequestID != "req_html" || !strings.Contains(string(e.Body()), "<html>") {
				t.Errorf("%d: %+v", status, e)
			}
		}
	}
}

// TestSuccessIsReadWhereverItStands has answers that are odd in every other way.
func TestSuccessIsReadWhereverItStands(t *testing.T) {
	for name, c := range map[string]struct {
		status      int
		contentType string
		body        string
	}{
		"alone":                   {200, "application/json", `{"success":true}`},
		"first":                   {200, "application/json", `{"success":true,"queue":null}`},
		"last":                    {200, "application/json", `{"queue":{"id":1},"more":[1,{"success":false}],"success":true}`},
		"spread out":              {200, "application/json", "\r\n\t {\n \"success\" : true \n}"},
		"escaped":                 {200, "application/json", `{"\u0073uccess":true}`},
		"as text":                 {200, "text/plain", `{"success":true}`},
		"without a media type":    {200, "", `{"success":true}`},
		"a 201":                   {201, "application/json", `{"success":true}`},
		"a 202":                   {202, "application/json", `{"success":true}`},
		"cut right behind":        {200, "application/json", `{"success":true`},
		"cut in the snapshot":     {200, "application/json", `{"success":true,"queue":{"id":1,"text":"<p>`},
		"nonsense behind":         {200, "application/json", `{"success":true,<<<`},
		"a deep snapshot":         {200, "application/json", `{"success":true,"queue":` + strings.Repeat("[", 100_000)},
		"the limit behind":        {200, "application/json", `{"success":true,"queue":{"id":1,"text":"` + filler(api.MaxBody) + `"}}`},
		"exactly the limit":       {200, "application/json", `{"a":"` + filler(api.MaxBody-len(`{"a":"","success":true}`)) + `","success":true}`},
		"a null with a long name": {200, "application/json", `{"` + filler(1<<16) + `":null,"success":true}`},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, answer(t, c.status, http.Header{"Content-Type": {c.contentType}, "X-Request-Id": {"req_ok"}}, c.body))
			result, err := unsend(t.Context(), t, client)
			if err != nil {
				t.Fatal(err)
			}
			if result.Outcome != api.Unsent || result.RequestID != "req_ok" || result.Attempts != 1 {
				t.Errorf("%s, %s, %d attempts", result.Outcome, result.RequestID, result.Attempts)
			}
			if want := c.body[:min(len(c.body), api.MaxBody)]; string(result.Raw) != want {
				t.Errorf("Raw has %d bytes, want %d", len(result.Raw), len(want))
			}
		})
	}
}

// TestBodiesThatBreakOff reads bodies in every way in which a transport can hand them over.
func TestBodiesThatBreakOff(t *testing.T) {
	broken := errors.New("broken off")
	const whole = `{"success":true,"queue":{"id":6432457811894,"text":"x"}}`
	decided := strings.Index(whole, "true") + len("true")
	for cut := range len(whole) + 1 {
		for name, read := range map[string]func(io.Reader) io.Reader{
			"at once":       func(r io.Reader) io.Reader { return r },
			"byte by byte":  iotest.OneByteReader,
			"error at last": iotest.DataErrReader,
		} {
			client := newClient(t, judgedRequests(t, roundTrip(func(req *http.Request) (*http.Response, error) {
				body := io.MultiReader(strings.NewReader(whole[:cut]), iotest.ErrReader(broken))
				return newResponse(req, http.StatusOK, nil, read(body)), nil
			})), api.WithRetries(0))
			result, err := unsend(t.Context(), t, client)
			if cut >= decided {
				if err != nil || result.Outcome != api.Unsent || string(result.Raw) != whole[:cut] {
					t.Errorf("%d bytes, %s: %v, %v", cut, name, result, err)
				}
				continue
			}
			e := apiError(t, err)
			if !errors.Is(err, api.ErrUnexpectedResponse) || !errors.Is(err, broken) || !e.MaybeUnsent || e.StatusCode != http.StatusOK {
				t.Errorf("%d bytes, %s: %v", cut, name, err)
			}
		}
	}
}
