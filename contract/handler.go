package contract

import (
	"bufio"
	"net"
	"net/http"
)

// Handler wraps a server's handler and reports every exchange that departs from the contract.
// It changes nothing of what passes, and the handler can still flush and hijack.
//
// report is called once for such an exchange, with the violations of both sides, and never
// with none; it is called after next returned, on its goroutine, and may be called from many
// at once. An exchange that next takes over with Hijack, or aborts by a panic before it wrote
// anything, reports its request.
//
// Bodies are passed on as they are read and written, and copied up to 8 MiB for as long as
// their exchange lasts. A request body that next did not read to its end is judged where what
// it read is a whole JSON value, and passed over where it is not.
func Handler(next http.Handler, report func([]Violation)) http.Handler {
	return &handler{next: next, report: report, load: shared}
}

type handler struct {
	next   http.Handler
	report func([]Violation)
	load   func() (*Validator, error)
}

// ServeHTTP implements [http.Handler].
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v, err := h.load()
	if err != nil {
		h.report(unsound(err))
		h.next.ServeHTTP(w, r)
		return
	}
	x := newExchange(v, r, h.report)
	answer := &responseWriter{ResponseWriter: w}
	defer func() {
		if answer.status == 0 {
			x.finish(0, nil, nothing)
			return
		}
		x.finish(answer.status, answer.header, answer.body)
	}()
	h.next.ServeHTTP(answer, x.send(r))
	if answer.status == 0 && !answer.hijacked {
		answer.begin(http.StatusOK) // as the server does
	}
	answer.seen.end(nil)
}

// responseWriter records an answer while it is written.
type responseWriter struct {
	http.ResponseWriter
	status   int // 0 until the head is written
	header   http.Header
	seen     recorder
	hijacked bool
	failed   bool // the client did not get it all
}

// begin takes the head as it goes out; what a handler does to it later has no effect.
func (w *responseWriter) begin(status int) {
	if w.status == 0 {
		w.status, w.header = status, w.Header().Clone()
	}
}

// WriteHeader implements [http.ResponseWriter].
func (w *responseWriter) WriteHeader(status int) {
	if status >= http.StatusOK || status == http.StatusSwitchingProtocols {
		w.begin(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (w *responseWriter) Write(p []byte) (int, error) {
	w.begin(http.StatusOK)
	n, err := w.ResponseWriter.Write(p)
	w.seen.add(p)
	w.failed = w.failed || err != nil
	return n, err
}

// body is what the handler wrote; of what did not arrive nothing is said.
func (w *responseWriter) body() body {
	if w.failed {
		return nothing()
	}
	return w.seen.body()
}

// Flush implements [http.Flusher].
func (w *responseWriter) Flush() {
	w.begin(http.StatusOK)
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack implements [http.Hijacker].
func (w *responseWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	w.hijacked = w.hijacked || err == nil
	return conn, rw, err
}

// Unwrap lets [http.ResponseController] reach what is not recorded.
func (w *responseWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
