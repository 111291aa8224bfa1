package mock

import (
	"bytes"
	"cmp"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/unsend-go/unsend/internal/ids"
)

// ControlPrefix begins the paths of [WithControl].
const ControlPrefix = "/_mock/"

// WithControl lets programs in any language script faults, read what was sent and reset, by HTTP
// under [ControlPrefix]; docs/client/mock.md has the paths and their bodies. It keeps
// [Entry.Header] and [Entry.Body] as [WithBodies] does.
//
// With a token, requests need the header "Authorization: Bearer TOKEN". Without one, Host and peer
// must be loopback, and pages of another origin are refused unless [WithCORS] names it, so that no
// web page can control a mock on its reader's machine.
func WithControl(token string) Option {
	return func(s *Server) {
		s.journal.bodies = true
		WithHandler(ControlPrefix, (&control{s, token}).handler())(s)
	}
}

// WithCORS lets web pages of these origins, such as "http://localhost:5173", call the mock; "*"
// lets pages of any origin call the API, but not the control. Preflights are not journaled.
func WithCORS(origins ...string) Option {
	return func(s *Server) { s.origins = append(s.origins, origins...) }
}

// cors sends the headers that WithCORS allows. It reports whether the request was a preflight, to
// which that is the whole response.
func (s *Server) cors(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	anyOrigin := slices.Contains(s.origins, "*") && !strings.HasPrefix(r.URL.Path, ControlPrefix)
	if origin == "" || !anyOrigin && (origin == "*" || !slices.Contains(s.origins, origin)) {
		return false
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", origin)
	h.Add("Vary", "Origin")
	h.Set("Access-Control-Expose-Headers", "Location, Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE")
	h.Set("Access-Control-Allow-Headers", r.Header.Get("Access-Control-Request-Headers"))
	w.WriteHeader(http.StatusNoContent)
	return true
}

// control serves the paths of WithControl.
type control struct {
	s     *Server
	token string
}

// handler routes the requests that may control the mock, and refuses others.
func (c *control) handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range map[string]http.HandlerFunc{
		"/":                                 c.serve(nil),
		"GET /{$}":                          c.serve(c.state),
		"POST /reset":                       c.serve(c.reset),
		"GET /requests":                     c.serve(c.requests, "userId", "messageId", "status"),
		"DELETE /requests":                  c.serve(c.requests, "userId", "messageId", "status"),
		"POST /faults":                      c.serve(c.script),
		"GET /faults":                       c.serve(c.faults, "userId", "messageId"),
		"DELETE /faults":                    c.serve(c.faults, "userId", "messageId"),
		"GET /messages/{user}/{message}":    c.serve(c.message),
		"PUT /messages/{user}/{message}":    c.serve(c.message),
		"DELETE /messages/{user}/{message}": c.serve(c.message),
		"PUT /connections/{id}":             c.serve(c.connection),
	} {
		mux.HandleFunc(strings.Replace(pattern, "/", ControlPrefix, 1), h)
	}
	return mux
}

// command executes a request and returns what to send as JSON.
type command func(r *http.Request, body []byte) (any, error)

// serve serves a command with these filters in its query; without a command, an unknown path.
func (c *control) serve(do command, filters ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBody))
		status, value := http.StatusBadRequest, any(nil)
		switch refused := c.allow(r); {
		case refused != nil:
			status, err = http.StatusForbidden, refused
		case do == nil:
			status, err = http.StatusNotFound, errors.New("the control has no such method and path; see unsend mock --help")
		case err != nil:
			err = fmt.Errorf("the body cannot be read, or is larger than %d bytes", maxRequestBody)
		default:
			err = checkFilters(r.URL.RawQuery, filters)
		}
		if err == nil {
			value, err = do(r, body)
		}
		if err == nil {
			status = http.StatusOK
		} else {
			value = map[string]string{"error": err.Error()}
		}
		w.Header().Set("Content-Type", mediaJSON)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.WriteHeader(status)
		_, _ = w.Write(append(encode(value), '\n')) // to a client that may have left
	}
}

// checkFilters refuses a query with other filters: one that is misspelled would match everything.
func checkFilters(query string, known []string) error {
	filters, err := url.ParseQuery(query)
	if err != nil {
		return fmt.Errorf("the query cannot be read: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(filters)) {
		if !slices.Contains(known, name) {
			return fmt.Errorf("unknown filter %q; this path takes %s", name, cmp.Or(strings.Join(known, ", "), "none"))
		}
	}
	if _, err := strconv.Atoi(cmp.Or(filters.Get("status"), "0")); err != nil {
		return errors.New("the filter status is a number, such as 503, or 0 for no response")
	}
	return nil
}

// allow returns why a request may not control the mock. A web page can make a browser on this
// machine send requests to loopback, also by a host name of its own that resolves to it.
func (c *control) allow(r *http.Request) error {
	if c.token != "" {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+c.token)) == 1 {
			return nil
		}
		return errors.New("the control needs the header Authorization: Bearer with the mock's token")
	}
	if !isLoopback((&url.URL{Host: r.Host}).Hostname()) {
		return errors.New("the control serves localhost, 127.0.0.1 and [::1] only; start the mock with a token for other hosts")
	}
	// In memory there is no peer.
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); r.RemoteAddr != "pipe" && (err != nil || !peer.Addr().Unmap().IsLoopback()) {
		return errors.New("the control serves clients of this machine only; start the mock with a token for others")
	}
	protection := http.NewCrossOriginProtection()
	for _, origin := range c.s.origins {
		_ = protection.AddTrustedOrigin(origin) // which refuses *
	}
	write := *r
	write.Method = http.MethodPost // reads reveal as much as writes, and are not exempt
	if protection.Check(&write) != nil {
		return errors.New("the control refuses web pages of other origins; name this one with --cors")
	}
	return nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}

var errHalf = errors.New("give both userId and messageId, or neither")

// entry is a request of the journal as the control shows it.
type entry struct {
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Headers map[string]string `json:"headers"`
	Body    any               `json:"body"`
	Status  int               `json:"status"`
	Type    string            `json:"type"`
	Acted   bool              `json:"acted"`
	Fault   string            `json:"fault"`
}

func (c *control) state(*http.Request, []byte) (any, error) {
	return map[string]int{"requests": len(c.s.Journal()), "pending": c.s.faults.pending()}, nil
}

func (c *control) reset(*http.Request, []byte) (any, error) {
	c.s.reset()
	return struct{}{}, nil
}

// addressed is the message that the query names.
func addressed(r *http.Request) Message {
	return Message{r.URL.Query().Get("userId"), r.URL.Query().Get("messageId")}
}

func (c *control) requests(r *http.Request, _ []byte) (any, error) {
	message, status := addressed(r), r.URL.Query().Get("status")
	matches := func(e Entry) bool {
		return (message.UserID == "" || message.UserID == e.UserID) && (message.MessageID == "" || message.MessageID == e.MessageID) &&
			(status == "" || status == strconv.Itoa(e.Status))
	}
	if r.Method == http.MethodDelete {
		return map[string]int{"total": c.s.journal.forget(matches)}, nil
	}
	list := []entry{}
	for _, e := range c.s.Journal() {
		if !matches(e) {
			continue
		}
		shown := entry{e.Method, e.Path, map[string]string{}, nil, e.Status, e.Type, e.Acted, e.Fault}
		for name, values := range e.Header {
			shown.Headers[strings.ToLower(name)] = strings.Join(values, ", ")
		}
		if json.Valid([]byte(e.Body)) {
			shown.Body = json.RawMessage(e.Body)
		} else if e.Body != "" {
			shown.Body = e.Body
		}
		list = append(list, shown)
	}
	return map[string]any{"requests": list, "total": len(list)}, nil
}

// script adds faults, in the text of ParseFault.
func (c *control) script(_ *http.Request, body []byte) (any, error) {
	var input struct {
		Faults    []string `json:"faults"`
		UserID    string   `json:"userId"`
		MessageID string   `json:"messageId"`
	}
	if !readStrictly(body, &input.Faults) && !readStrictly(body, &input) || len(input.Faults) == 0 {
		return nil, errors.New(`the body must be faults such as ["503","drop,acted"], or {"faults":["503"],"userId":"7","messageId":"9"}`)
	}
	if (input.UserID == "") != (input.MessageID == "") {
		return nil, errHalf
	}
	var list []Fault
	for _, text := range input.Faults {
		f, err := ParseFault(text)
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	c.s.NextFor(input.UserID, input.MessageID, list...)
	return map[string]int{"pending": c.s.faults.pending()}, nil
}

// faults lists the faults of one message, or those of any.
func (c *control) faults(r *http.Request, _ []byte) (any, error) {
	message := addressed(r)
	if (message.UserID == "") != (message.MessageID == "") {
		return nil, errHalf
	}
	if r.Method == http.MethodDelete {
		c.s.faults.forget(message)
		return struct{}{}, nil
	}
	return c.s.faults.texts(message), nil
}

// shownMessage is a message as the control shows and sets it.
type shownMessage struct {
	Exists bool `json:"exists"`
	Unsent bool `json:"unsent"`
}

func (c *control) message(r *http.Request, body []byte) (any, error) {
	m := Message{r.PathValue("user"), r.PathValue("message")}
	for _, id := range []string{m.UserID, m.MessageID} {
		if err := ids.Check(id); err != nil {
			return nil, fmt.Errorf("an id %w", err)
		}
	}
	switch r.Method {
	case http.MethodPut:
		input := shownMessage{Exists: true}
		if len(body) > 0 && !readStrictly(body, &input) || input.Exists && input.Unsent {
			return nil, errors.New(`the body must be empty or a state such as {"exists":true,"unsent":false}, not both true`)
		}
		st := statePresent
		if input.Unsent {
			st = stateUnsent
		} else if !input.Exists {
			st = stateRemoved
		}
		c.s.messages.put(m, st)
	case http.MethodDelete:
		c.s.Remove(m.UserID, m.MessageID)
	}
	return shownMessage{c.s.Exists(m.UserID, m.MessageID), c.s.UnsentCount(m.UserID, m.MessageID) > 0}, nil
}

func (c *control) connection(r *http.Request, body []byte) (any, error) {
	var input struct {
		State string `json:"state"`
	}
	if !readStrictly(body, &input) {
		return nil, errors.New(`the body must be a state such as {"state":"expired"}`)
	}
	connection, err := ParseConnection(r.PathValue("id") + ":" + input.State)
	if err != nil {
		return nil, err
	}
	c.s.SetConnection(connection)
	return input, nil
}

// readStrictly reads one JSON value that has no other members than into.
func readStrictly(text []byte, into any) bool {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	return json.Valid(text) && dec.Decode(into) == nil
}
