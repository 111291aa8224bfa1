package mock

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
)

// WithOperation executes an operation of the document by h, in place of its example or of
// unsending. The pattern is that of an [http.ServeMux], such as
// "GET /v2/access/chats/{userId}/messages"; its wildcards can be read with PathValue, and the
// body again. Credentials, rate limit, contract and faults come before h, which is called unless
// the fault means that nothing was done. The response of h is sent whole and is not checked.
//
// A pattern that [http.ServeMux] refuses, or that matches no operation of the document, gets 501
// and is named by the error of [Server.Start].
func WithOperation(pattern string, h http.Handler) Option {
	return func(s *Server) { s.handlers.add(pattern, h) }
}

// handlers are those of WithOperation.
type handlers struct {
	http.ServeMux

	unused []string // patterns that match no operation
	errs   []error
}

// add registers a handler, unless ServeMux refuses the pattern, which it does by a panic.
func (h *handlers) add(pattern string, handler http.Handler) {
	defer func() {
		if refused := recover(); refused != nil {
			h.errs = append(h.errs, fmt.Errorf("mock: WithOperation: %q is not a pattern: %v", pattern, refused))
		}
	}()
	h.Handle(pattern, handler)
	h.unused = append(h.unused, pattern)
}

// variable is a part of a path that matches anything.
var variable = regexp.MustCompile(`\{[^{}]*\}`)

// check finds the patterns that match no operation of the document, and returns an error that names
// them and those that were refused.
func (h *handlers) check(d document) error {
	for _, op := range d.operations {
		sample := &http.Request{Method: op.method, URL: &url.URL{Path: variable.ReplaceAllString(op.path, "any")}}
		_, used := h.Handler(sample)
		h.unused = slices.DeleteFunc(h.unused, func(pattern string) bool { return pattern == used })
	}
	for _, pattern := range h.unused {
		h.errs = append(h.errs, fmt.Errorf("mock: WithOperation: the document has no operation %q", pattern))
	}
	return errors.Join(h.errs...)
}
