package contract

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
)

// What is kept of members that the contract does not name is bounded.
const (
	maxNames  = 2_000 // in all
	maxNested = 8     // levels of objects and arrays
)

var (
	isIdentifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)
	isType       = regexp.MustCompile(`^[A-Z][A-Z0-9_]{1,63}$`)
)

// Drift collects what responses have and openapi.yaml does not: members that it does not name,
// kinds of values that it does not admit, statuses that only its default response covers, and
// types of errors that no example or description names. It is safe for concurrent use.
//
// It keeps no value but an error's type of capitals, digits and underscores, and no name that does
// not look like an identifier.
type Drift struct {
	v   *Validator
	err error // of an option

	mu       sync.Mutex
	names    int // of members
	places   map[*openapi3.Schema]*observed
	statuses map[unlisted]*observed
}

// observed is what was seen at one place of the contract, or of a member that it does not name.
type observed struct {
	at      place // empty if the contract does not describe it
	kinds   map[string]int
	refused map[string]int       // kinds that the contract does not admit, and "missing"
	members map[string]*observed // that the contract does not name
	types   map[string]int       // of errors, if this is their type
	items   *observed
}

// unlisted is a status that an operation does not list. Its kinds are "status" and "body".
type unlisted struct {
	op     *operation
	status int
}

// NewDrift returns an empty Drift. An invalid option is an error of the first [Drift.Add].
func NewDrift(opts ...Option) *Drift {
	d := &Drift{places: map[*openapi3.Schema]*observed{}, statuses: map[unlisted]*observed{}}
	d.v, d.err = New(opts...)
	return d
}

// Transport wraps the transport of a client (nil means [http.DefaultTransport]) and adds each
// response to d. It reads bodies and passes everything on as [Transport] does. A response that Add
// returns an error for is passed over; an invalid option makes each request fail.
func (d *Drift) Transport(next http.RoundTripper) http.RoundTripper {
	return newTransport(next, func(req *http.Request) (func(*http.Response), error) {
		return func(resp *http.Response) { _ = d.Add(req, resp) }, d.err
	})
}

// Add compares the response to req with the contract. Which operation that is, is decided as in
// [Validator.CheckResponse]. The body is read and put back.
//
// An error means that an option is invalid, that the operation is not known, or that the body
// cannot be read: it is empty, cut short, not JSON, or beyond the limits of this package.
func (d *Drift) Add(req *http.Request, resp *http.Response) error {
	switch {
	case d.err != nil:
		return d.err
	case resp == nil:
		return errors.New("no response to compare with the contract")
	}
	m, req, err := d.v.findResponse(req, resp)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	isError, declared := resp.StatusCode >= http.StatusBadRequest, m.Responses.Status(resp.StatusCode)
	status := newObserved(nil)
	if declared == nil {
		key := unlisted{m.operation, resp.StatusCode}
		status = cmp.Or(d.statuses[key], status)
		d.statuses[key] = status
		if isError { // which the default response describes
			declared = m.Responses.Default()
		}
	}
	status.kinds["status"]++
	if hasNoBody(req.Method, resp.StatusCode) {
		return nil
	}
	b := readAndPutBack(&resp.Body).inflated(resp.Header)
	if vs := checkBody(Response, anyJSON, http.Header{"Content-Type": {"application/json"}}, b, true); len(vs) > 0 {
		return errors.New("the body cannot be compared with the contract: found " + vs[0].Found)
	}
	status.kinds["body"]++
	value, _, _ := new(decoder).decodeBody(b.data)
	at := bodyOf(declared)
	d.walk(value, at)
	if members, ok := value.(map[string]any); ok && isError {
		word, _ := members["type"].(string)
		if typed, _ := at.member("type"); len(typed) > 0 && isType.MatchString(word) && len(d.place(typed).types) < maxNames {
			d.place(typed).types[word]++
		}
	}
	return nil
}

// anyJSON describes a body of any JSON value.
var anyJSON = openapi3.NewContentWithJSONSchema(openapi3.NewSchema().WithNullable())

// bodyOf returns what the contract says of a response's JSON body.
func bodyOf(ref *openapi3.ResponseRef) place {
	if ref == nil {
		return nil
	}
	if media := ref.Value.Content.Get("application/json"); media != nil && media.Schema != nil {
		return placeOf(media.Schema)
	}
	return nil
}

func (p place) isTyped() bool {
	return slices.ContainsFunc(p, func(s *openapi3.Schema) bool { return s.Type != nil })
}

func (p place) describesMembers() bool {
	return slices.ContainsFunc(p, func(s *openapi3.Schema) bool { return s.Properties != nil || s.AdditionalProperties.Schema != nil })
}

// admits reports whether the contract admits values of a kind.
func (p place) admits(kind string) bool {
	return !p.isTyped() || slices.ContainsFunc(p, func(s *openapi3.Schema) bool {
		return s.Type.Is(kind) || kind == "null" && s.PermitsNull() || kind == "integer" && s.Type.Is("number")
	})
}

// kindOf names the kind of a value. A number is an integer if it fits into 64 bits.
func kindOf(value any) string {
	kind, _ := describeValue(value)
	if number, ok := value.(json.Number); ok {
		if _, err := strconv.ParseInt(string(number), 10, 64); err == nil {
			return "integer"
		}
	}
	return kind
}

func newObserved(at place) *observed {
	return &observed{at: at, kinds: map[string]int{}, refused: map[string]int{}, members: map[string]*observed{}, types: map[string]int{}}
}

// place returns what was seen at a place that the contract describes.
func (d *Drift) place(at place) *observed {
	if d.places[at[0]] == nil {
		d.places[at[0]] = newObserved(at)
	}
	return d.places[at[0]]
}

// walk compares a value with what the contract says of its place.
func (d *Drift) walk(value any, at place) {
	if !at.isTyped() && !at.describesMembers() {
		return // it may be anything
	}
	o := d.place(at)
	if kind := kindOf(value); !at.admits(kind) {
		o.refused[kind]++
	}
	if items, isArray := value.([]any); isArray {
		for _, item := range items {
			d.walk(item, at.item())
		}
	}
	members, isObject := value.(map[string]any)
	if !isObject || !at.describesMembers() {
		return // it may have any members
	}
	for _, name := range at[0].Required {
		if _, ok := members[name]; !ok {
			if missing, named := at.member(name); named {
				d.place(missing).refused["missing"]++
			}
		}
	}
	for name, inner := range members {
		if next, _ := at.member(name); len(next) > 0 {
			d.walk(inner, next)
		} else {
			d.infer(d.member(o, name), inner, 0)
		}
	}
}

// member returns what was seen of a member that the contract does not name. Names that do not look
// like identifiers share one entry, and so do those beyond the limit.
func (d *Drift) member(o *observed, name string) *observed {
	if o.members[name] == nil && (!isIdentifier.MatchString(name) || d.names == maxNames) {
		name = "*"
	}
	if o.members[name] == nil {
		o.members[name] = newObserved(nil)
		d.names = min(d.names+1, maxNames)
	}
	return o.members[name]
}

// infer counts a value that the contract does not describe.
func (d *Drift) infer(o *observed, value any, level int) {
	o.kinds[kindOf(value)]++
	if level == maxNested {
		return
	}
	switch value := value.(type) {
	case []any:
		if o.items == nil {
			o.items = newObserved(nil)
		}
		for _, item := range value {
			d.infer(o.items, item, level+1)
		}
	case map[string]any:
		for name, inner := range value {
			d.infer(d.member(o, name), inner, level+1)
		}
	}
}
