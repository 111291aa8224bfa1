package api_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing/iotest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// story is one call, and what happens to it: to its message, to its requests on their way, and
// in the service.
type story struct {
	message   string
	faults    []mock.Fault // in the service, one for each request that reaches it
	mishaps   []mishap     // on the way, one for each attempt
	gone      bool         // the message was taken away before the call
	removedAt int          // another device takes it away before this attempt; -1 for never
	cancelAt  time.Duration
	deadline  time.Duration // 0 for none, as above

	// What was seen on the way.
	attempts int
	doubtful bool // an answer was lost, or its status leaves open whether it was acted on
	removed  bool // another device took it away
}

// mishap befalls a request or its answer between client and service.
type mishap int

const (
	noMishap   mishap = iota
	refused           // no connection
	lostAnswer        // carried out, or not, and the answer is lost
	stalled           // the answer never comes
	cutBody           // the answer's body breaks off somewhere
	mishaps
)

// tell draws a story.
func tell(r *rand.Rand, message string, faults []mock.Fault) *story {
	s := &story{message: message, gone: r.IntN(10) == 0, removedAt: -1}
	for range r.IntN(6) {
		s.faults = append(s.faults, drawFault(r, faults))
	}
	for range r.IntN(4) {
		m := noMishap
		if r.IntN(2) == 0 {
			m = mishap(r.IntN(int(mishaps)))
		}
		s.mishaps = append(s.mishaps, m)
	}
	switch r.IntN(8) {
	case 0:
		s.cancelAt = time.Duration(r.Int64N(int64(5 * time.Second)))
	case 1:
		s.deadline = time.Duration(r.Int64N(int64(5 * time.Second)))
	case 2:
		s.removedAt = r.IntN(3)
	}
	return s
}

func drawFault(r *rand.Rand, faults []mock.Fault) mock.Fault {
	switch r.IntN(20) {
	case 0, 1, 2:
		return mock.Fault{} // none
	case 3, 4:
		whole := pick(r, []string{
			`{"success":true,"queue":{"id":6432457811894,"text":"<p>success</p>"}}`, `{"queue":{"id":1,"success":false},"success":true}`,
			"{\n  \"succ\\u0065ss\" : true }", `{"success":false,"queue":null}`, `{"successful":true,"success":true}`, `{"a":[{"success":true}],"b":"\"success\":true"}`,
		})
		kind := pick(r, []mock.Kind{"", mock.Truncated, mock.TruncatedLate, mock.Slow, mock.Mislabeled})
		return mock.Fault{Kind: kind, Body: whole[:r.IntN(len(whole)+1)], Acted: r.IntN(2) == 0}
	case 5:
		if r.IntN(100) == 0 { // 9 MiB each
			return mock.Fault{Kind: pick(r, []mock.Kind{mock.Oversized, mock.OversizedLate}), Acted: r.IntN(2) == 0}
		}
		return mock.Fault{Status: 200 + r.IntN(400), Acted: r.IntN(2) == 0}
	case 6:
		return mock.Fault{Status: 404, Type: "RESOURCE_NOT_FOUND", Shape: pick(r, []mock.Shape{mock.ShapeCurrent, mock.ShapeEarlier, mock.ShapeSDK})}
	}
	return pick(r, faults)
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// storyKey finds the story of a request, whose attempts share a transport with others'.
type storyKey struct{}

// way is the way between client and service.
type way struct {
	server *mock.Server
	next   http.RoundTripper
}

func (w way) RoundTrip(req *http.Request) (*http.Response, error) {
	s, _ := req.Context().Value(storyKey{}).(*story)
	if s == nil {
		return nil, errors.New("a request of no story")
	}
	m := noMishap
	if s.attempts < len(s.mishaps) {
		m = s.mishaps[s.attempts]
	}
	if s.attempts == s.removedAt {
		s.removed = w.server.Exists(userID, s.message)
		w.server.Remove(userID, s.message)
	}
	s.attempts++
	if m == refused {
		_ = req.Body.Close()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	resp, err := w.next.RoundTrip(req)
	if err != nil {
		s.doubtful = true
		return nil, err
	}
	switch m {
	case lostAnswer:
		s.doubtful = true
		_ = resp.Body.Close()
		return nil, io.EOF
	case stalled:
		s.doubtful = true
		_ = resp.Body.Close()
		<-req.Context().Done()
		return nil, context.Cause(req.Context())
	case cutBody:
		resp.Body = &brokenBody{resp.Body, io.MultiReader(io.LimitReader(resp.Body, int64(len(s.message)*7%90)), iotest.ErrReader(io.ErrUnexpectedEOF))}
	case noMishap, refused, mishaps:
	}
	code := resp.StatusCode
	s.doubtful = s.doubtful || code/100 == 2 || code/100 == 5 || code == 303 || code == 408
	return resp, nil
}

type brokenBody struct {
	io.Closer
	io.Reader
}

// class names what a call came to, and what had become of its message.
func class(s *story, result *api.Result, err error, took bool) string {
	var parts []string
	switch {
	case err == nil:
		parts = append(parts, result.Outcome.String())
	case maybe(err):
		parts = append(parts, "error with doubt")
	default:
		parts = append(parts, "error without doubt")
	}
	switch {
	case took:
		parts = append(parts, "this call took it away")
	case s.gone:
		parts = append(parts, "gone before the call")
	case s.removed:
		parts = append(parts, "taken away by another during the call")
	default:
		parts = append(parts, "still there")
	}
	return strings.Join(parts, ", ")
}

func maybe(err error) bool {
	var e *api.Error
	return errors.As(err, &e) && e.MaybeUnsent
}
