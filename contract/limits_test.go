package contract_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/contract"
)

const (
	mib = 1 << 20
	gib = 1 << 30
)

// endless is a body of so many bytes that no test has to hold.
func endless(size int64) io.Reader {
	return io.LimitReader(repeat(`{"success":true} `), size)
}

type repeat string

func (r repeat) Read(p []byte) (int, error) {
	n := copy(p, r)
	for n < len(p) {
		n += copy(p[n:], p[:n])
	}
	return n, nil
}

func TestBodyPastTheLimitIsAViolationAndStaysWhole(t *testing.T) {
	v := newValidator(t)
	for name, size := range map[string]int64{"just past it": 8*mib + 1, "1 GiB": gib} {
		t.Run(name, func(t *testing.T) {
			resp := newResponse(http.StatusOK, "")
			resp.Body = io.NopCloser(endless(size))
			before := allocated()
			vs := v.CheckResponse(nil, resp)
			if grown := allocated() - before; grown > 128*mib {
				t.Errorf("%d MiB allocated", grown/mib)
			}
			wantPointers(t, vs, "")
			if len(vs) == 1 && vs[0].Found != "more than 8 MiB" {
				t.Errorf("found %q", vs[0].Found)
			}
			if n, err := io.Copy(io.Discard, resp.Body); n != size || err != nil {
				t.Errorf("%d bytes left to read, %v; want %d", n, err, size)
			}
		})
	}
}

func TestBodyOfTheLimitIsJudged(t *testing.T) {
	body := `{"success":true}` + strings.Repeat(" ", 8*mib-16)
	wantPointers(t, newValidator(t).CheckResponse(nil, newResponse(http.StatusOK, body)))
	req := newRequest(t, `{"withUserId":1}`+strings.Repeat(" ", 8*mib-16))
	wantPointers(t, newValidator(t).CheckRequest(req))
	req = newRequest(t, `{"withUserId":1}`+strings.Repeat(" ", 8*mib-15))
	wantPointers(t, newValidator(t).CheckRequest(req), "")
}

func TestBodiesReachTheNextReaderIntact(t *testing.T) {
	v := newValidator(t)
	for _, body := range []string{"", documentedRequest, `{"withUserId"`, "not json", strings.Repeat("x", 8*mib+100)} {
		closed := 0
		req := newRequest(t, "")
		req.GetBody = nil // as on a server
		req.Body = &countingCloser{strings.NewReader(body), &closed}
		v.CheckRequest(req)
		v.CheckRequest(req)
		wantRead(t, req.Body, body)

		resp := newResponse(http.StatusOK, "")
		resp.Body = &countingCloser{strings.NewReader(body), &closed}
		v.CheckResponse(req, resp)
		v.CheckResponse(req, resp)
		wantRead(t, resp.Body, body)

		if closed != 0 {
			t.Error("a body was closed")
		}
		_, _ = req.Body.Close(), resp.Body.Close()
		if closed != 2 {
			t.Errorf("%d bodies closed, want 2", closed)
		}
	}
}

func TestRequestWithGetBodyKeepsItsBodyUnread(t *testing.T) {
	req := newRequest(t, documentedRequest)
	body := req.Body
	wantPointers(t, newValidator(t).CheckRequest(req))
	if req.Body != body {
		t.Error("Body was replaced")
	}
	wantRead(t, req.Body, documentedRequest)
	wantPointers(t, newValidator(t).CheckRequest(req)) // also once it was sent

	req.GetBody = func() (io.ReadCloser, error) { return nil, errors.New("no more") }
	req.Body = io.NopCloser(strings.NewReader(documentedRequest))
	wantPointers(t, newValidator(t).CheckRequest(req))
}

func TestBrokenBodyIsAViolationAndBreaksAgain(t *testing.T) {
	broken := errors.New("connection reset")
	resp := newResponse(http.StatusOK, "")
	resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"success":true}`), &failingOnce{err: broken}))
	vs := newValidator(t).CheckResponse(nil, resp)
	wantPointers(t, vs, "")
	if len(vs) == 1 && vs[0].Found != "a body that broke off after 16 bytes" {
		t.Errorf("found %q", vs[0].Found)
	}
	data, err := io.ReadAll(resp.Body)
	if string(data) != `{"success":true}` || !errors.Is(err, broken) {
		t.Errorf("read %q, %v", data, err)
	}
}

func TestNestingCannotExhaustTheStack(t *testing.T) {
	v := newValidator(t)
	for name, body := range map[string]string{
		"arrays":                strings.Repeat("[", 8*mib),
		"objects":               strings.Repeat(`{"queue":`, mib/2),
		"closed":                strings.Repeat("[", mib) + strings.Repeat("]", mib),
		"in an unknown member":  `{"success":true,"x":` + strings.Repeat("[", mib) + strings.Repeat("]", mib) + `}`,
		"in a member of a kind": `{"success":true,"queue":{"id":1,"releaseForms":` + strings.Repeat(`{"a":`, mib) + "1" + strings.Repeat("}", mib) + `}}`,
	} {
		t.Run(name, func(t *testing.T) {
			vs := v.CheckResponse(nil, newResponse(http.StatusOK, body))
			wantPointers(t, vs, "")
			if len(vs) == 1 && vs[0].Found != "JSON nested deeper than 10000 levels" {
				t.Errorf("found %q", vs[0].Found)
			}
		})
	}
	deep := `{"success":true,"queue":{"id":1,"releaseForms":` + strings.Repeat("[", 9_998) + strings.Repeat("]", 9_998) + `}}`
	wantPointers(t, v.CheckResponse(nil, newResponse(http.StatusOK, deep)))
}

func TestWhatOnlyLooksDeepOrLongPasses(t *testing.T) {
	v := newValidator(t)
	for name, value := range map[string]string{
		"brackets in a string":              `"` + strings.Repeat(`[{`, 20_000) + `"`,
		"brackets behind a quote":           `"\"` + strings.Repeat(`[{`, 20_000) + `"`,
		"commas in a string":                `"` + strings.Repeat(`,:`, 200_000) + `"`,
		"a string that ends in a backslash": `["\\"` + strings.Repeat(`,[]`, 20_000) + `]`,
		"side by side":                      `[1` + strings.Repeat(`,[{}]`, 20_000) + `]`,
	} {
		t.Run(name, func(t *testing.T) {
			wantPointers(t, v.CheckResponse(nil, newResponse(http.StatusOK, `{"success":true,"x":`+value+`}`)))
		})
	}
}

func TestFloodOfFaultsIsBounded(t *testing.T) {
	v := newValidator(t)
	flood := func(n int) []contract.Violation {
		return v.CheckResponse(nil, newResponse(http.StatusOK, `{"success":true,"queue":{"id":1,"previews":[`+strings.Repeat(`"",`, n)+`1]}}`))
	}
	before := allocated()
	vs := flood(2 * mib)
	if grown := allocated() - before; grown > 256*mib {
		t.Errorf("%d MiB allocated", grown/mib)
	}
	wantPointers(t, vs, "")
	if len(vs) == 1 && vs[0].Found != "JSON of more than 50000 values" {
		t.Errorf("found %q", vs[0].Found)
	}
	if vs := flood(49_000); len(vs) != 49_000 {
		t.Errorf("%d violations, want all 49,000", len(vs))
	}
}

func TestCompressedBodies(t *testing.T) {
	v := newValidator(t)
	for name, row := range map[string]struct {
		encoding string
		body     []byte
		want     []string
	}{
		"gzip":                      {"gzip", zipped(t, strings.NewReader(`{"success":true}`)), nil},
		"gzip with a fault":         {"GZIP", zipped(t, strings.NewReader(`{"success":1}`)), []string{"/success"}},
		"gzip cut":                  {"gzip", zipped(t, strings.NewReader(`{"success":true}`))[:20], []string{""}},
		"gzip unannounced":          {"", zipped(t, strings.NewReader(`{"success":true}`)), []string{""}},
		"plain, as curl prints":     {"gzip", []byte(`{"success":true}`), nil},
		"plain, as curl prints, br": {"br", []byte(`{"success":true}`), nil},
		"unknown encoding":          {"br", []byte("\x0b\x07\x80"), []string{""}},
		"bomb":                      {"gzip", bytes.Repeat(zipped(t, endless(mib)), 1024), []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			resp := newResponse(http.StatusOK, string(row.body))
			resp.Header.Set("Content-Encoding", row.encoding)
			before := allocated()
			wantPointers(t, v.CheckResponse(nil, resp), row.want...)
			if grown := allocated() - before; grown > 128*mib {
				t.Errorf("%d MiB allocated", grown/mib)
			}
			wantRead(t, resp.Body, string(row.body))
		})
	}
}

func zipped(t *testing.T, from io.Reader) []byte {
	t.Helper()
	var to bytes.Buffer
	w := gzip.NewWriter(&to)
	if _, err := io.Copy(w, from); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return to.Bytes()
}

func wantRead(t *testing.T, r io.Reader, want string) {
	t.Helper()
	got, err := io.ReadAll(r)
	if err != nil || string(got) != want {
		t.Errorf("read %s and %v, want %s", brief(string(got)), err, brief(want))
	}
}

func brief(s string) string {
	return fmt.Sprintf("%d bytes %.40q", len(s), s)
}

type countingCloser struct {
	io.Reader
	closed *int
}

func (c *countingCloser) Close() error {
	*c.closed++
	return nil
}

// failingOnce pretends, once it failed, that nothing was wrong.
type failingOnce struct{ err error }

func (f *failingOnce) Read([]byte) (int, error) {
	err := f.err
	f.err = io.EOF
	return 0, err
}

type failingReader struct{ err error }

func (f failingReader) Read([]byte) (int, error) { return 0, f.err }

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
