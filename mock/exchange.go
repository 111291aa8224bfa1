package mock

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// exchange is one request on its way to an answer.
type exchange struct {
	s     *Server
	w     http.ResponseWriter
	r     *http.Request
	entry Entry
	n     int // the entry's number in the journal
	level level
}

func (s *Server) begin(w http.ResponseWriter, r *http.Request) *exchange {
	path := r.URL.EscapedPath()
	x := &exchange{s: s, w: w, r: r, entry: Entry{
		Time:      s.now(),
		RequestID: fmt.Sprintf("req_%012x", s.counters.requests.Add(1)),
		Method:    r.Method,
		Path:      path[:min(len(path), journaledPath)],
	}}
	x.n = s.journal.add(x.entry)
	return x
}

// send journals the answer, then writes it.
func (x *exchange) send(a answer) {
	x.entry.Status, x.entry.Type = a.status, a.kind
	x.s.journal.update(x.n, x.entry)

	h := x.w.Header()
	h.Set("X-Request-Id", x.entry.RequestID)
	if x.level.limit > 0 {
		// As net/http keeps their names: it need not rewrite them.
		h.Set("X-Ratelimit-Limit", strconv.Itoa(x.level.limit))
		h.Set("X-Ratelimit-Remaining", strconv.Itoa(x.level.remaining))
		h.Set("X-Ratelimit-Reset", strconv.FormatInt(seconds(x.level.reset), 10))
	}
	a.write(x.w, x.r)
}

// abort ends the exchange without an answer.
func (x *exchange) abort() {
	x.entry.Status, x.entry.Type = 0, ""
	x.s.journal.update(x.n, x.entry)
	panic(http.ErrAbortHandler)
}

// wait holds the request and reports whether the client stayed.
func (x *exchange) wait(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	return sleep(x.r.Context(), d)
}
