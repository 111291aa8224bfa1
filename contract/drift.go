package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
)

// Limits of what is kept of undocumented members.
const (
	maxNames  = 2_000 // of members
	maxNested = 9     // levels of objects and arrays
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
	err error // an invalid option

	mu       sync.Mutex
	names    int                            // undocumented members so far
	places   map[*openapi3.Schema]*observed // documented places
	statuses map[unlisted]*observed         // undocumented statuses; kinds "status" and "body"
}

// unlisted is a status that an operation does not list.
type unlisted struct {
	op     *operation
	status int
}

// observed collects what the contract does not describe at one place.
type observed struct {
	schema, member string               // as in Finding
	at             place                // empty for an undocumented place
	level          int                  // of an undocumented place, below the last documented one
	missing        int                  // times that it was absent although it is required
	kinds          map[string]int       // of values that the contract does not admit
	types          map[string]int       // of errors
	members        map[string]*observed // undocumented
	items          *observed            // undocumented
}

func newObserved(schema, member string, at place, level int) *observed {
	return &observed{schema, member, at, level, 0, map[string]int{}, map[string]int{}, map[string]*observed{}, nil}
}

// NewDrift returns an empty Drift. An invalid option is an error of the first [Drift.Add].
func NewDrift(opts ...Option) *Drift {
	d := &Drift{places: map[*openapi3.Schema]*observed{}, statuses: map[unlisted]*observed{}}
	d.v, d.err = New(opts...)
	return d
}

// Transport wraps the transport of a client (nil means [http.DefaultTransport]) and adds each
// response to d. It reads bodies and passes everything on as [Transport] does. Responses that Add
// rejects are ignored; an invalid option makes each request fail.
func (d *Drift) Transport(next http.RoundTripper) http.RoundTripper {
	return newTransport(next, func(req *http.Request) (func(*http.Response), error) {
		return func(resp *http.Response) { _ = d.Add(req, resp) }, d.err
	})
}

// Add compares the response to req with the contract. Which operation that is, is decided as in
// [Validator.CheckResponse]. The body is read and put back.
//
// An error means that an option is invalid, that the operation is not known, or that the body
// cannot be read: it is cut short, not of a media type that the contract lists, or beyond the limits
// of this package. Nothing was added then.
func (d *Drift) Add(req *http.Request, resp *http.Response) error {
	switch {
	case d.err != nil:
		return d.err
	case resp == nil:
		return errors.New("no response to compare with the contract")
	}
	m, err := d.v.findResponse(req, resp)
	if err != nil {
		return err
	}
	listed, isError := m.Responses.Status(resp.StatusCode), resp.StatusCode >= http.StatusBadRequest
	declared := listed
	if listed == nil && isError { // the default response describes errors
		declared = m.Responses.Default()
	}
	var content openapi3.Content
	if declared != nil {
		content = declared.Value.Content
	}
	schema, isListed := jsonSchema(content, resp.Header)
	var value any
	hasJSON := !hasNoBody(m.method, resp.StatusCode) && (schema != nil || !isListed)
	if hasJSON {
		b := readAndPutBack(&resp.Body).inflated(resp.Header)
		hasJSON = len(content) > 0 || len(b.data) > 0 || b.err != nil
		if value, err = b.json(); hasJSON && err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if listed == nil {
		key := unlisted{m.operation, resp.StatusCode}
		if d.statuses[key] == nil {
			d.statuses[key] = newObserved(m.id(), strconv.Itoa(resp.StatusCode), nil, 0)
		}
		d.statuses[key].kinds["status"]++
		if hasJSON {
			d.statuses[key].kinds["body"]++
		}
	}
	if schema == nil || !hasJSON {
		return nil
	}
	body := d.described(placeOf(schema), fmt.Sprint(m.id(), " ", resp.StatusCode), "")
	d.walk(body, value)
	members, _ := value.(map[string]any)
	if word, _ := members["type"].(string); isError && isType.MatchString(word) {
		if o := d.member(body, "type"); o != nil && len(o.types) < maxNames {
			o.types[word]++
		}
	}
	return nil
}

// json decodes a body of any JSON value.
func (b body) json() (any, error) {
	if vs := checkBody(Response, anyJSON, http.Header{"Content-Type": {"application/json"}}, b, true); len(vs) > 0 {
		return nil, errors.New("the body cannot be compared with the contract: found " + vs[0].Found)
	}
	value, _, _ := new(decoder).decodeBody(b.data)
	return value, nil
}

// anyJSON describes a body of any JSON value.
var anyJSON = openapi3.NewContentWithJSONSchema(openapi3.NewSchema().WithNullable())

// walk compares a value with the schemas of its place. If o is nil, any value is admitted.
func (d *Drift) walk(o *observed, value any) {
	if o == nil {
		return
	}
	if kind := kindOf(value); !o.at.admits(kind) {
		o.kinds[kind]++
	}
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			d.walk(d.item(o), item)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) { // in order, since a place is named by its first path
			d.walk(d.member(o, name), value[name])
		}
		for _, name := range o.at.required() {
			_, found := value[name]
			if _, named := o.at.member(name); named && !found {
				d.member(o, name).missing++
			}
		}
	}
}

// described returns the entry of a documented place, or nil.
func (d *Drift) described(at place, schema, member string) *observed {
	if len(at) == 0 {
		return nil
	}
	if name, found := strings.CutPrefix(string(d.v.schemas[at[0]]), string(schemasPointer+"/")); found && !strings.Contains(name, "/") {
		schema, member = name, ""
	}
	if d.places[at[0]] == nil {
		d.places[at[0]] = newObserved(schema, member, at, 0)
	}
	return d.places[at[0]]
}

// item returns the entry of an array's items; nil if any value is admitted.
func (d *Drift) item(o *observed) *observed {
	if len(o.at) > 0 {
		return d.described(o.at.item(), o.schema, o.member+"[]")
	}
	if o.items == nil && o.level < maxNested {
		o.items = newObserved("", "", nil, o.level+1)
	}
	return o.items
}

// member returns the entry of an object's member; nil if any value is admitted. Undocumented members
// share an entry if their names do not look like identifiers, or exceed the limit.
func (d *Drift) member(o *observed, name string) *observed {
	if at, named := o.at.member(name); named {
		return d.described(at, o.schema, o.member+"."+name)
	} else if len(at) > 0 {
		return d.described(at, o.schema, o.member+".*")
	}
	if len(o.at) > 0 { // new members belong to the first schema that has members
		i := slices.IndexFunc(o.at, func(s *openapi3.Schema) bool { return s.Properties != nil })
		if i < 0 {
			return nil
		}
		o = d.described(placeOf(o.at[i].NewRef()), o.schema, o.member)
	}
	if o == nil || o.level == maxNested {
		return nil
	}
	if o.members[name] == nil && (!isIdentifier.MatchString(name) || d.names == maxNames) {
		name = "*"
	}
	if o.members[name] == nil {
		o.members[name] = newObserved("", "", nil, o.level+1)
		d.names = min(d.names+1, maxNames)
	}
	return o.members[name]
}

// required returns the names that every object here has to have.
func (p place) required() (names []string) {
	if len(p) == 0 {
		return nil
	}
	allOf := func(s *openapi3.Schema) openapi3.SchemaRefs { return s.AllOf }
	for _, s := range joined(openapi3.SchemaRefs{p[0].NewRef()}, allOf) {
		names = append(names, s.Required...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// admits reports whether the contract admits values of a kind.
func (p place) admits(kind string) bool {
	isTyped := false
	for _, s := range p {
		if s.Type.Is(kind) || kind == "null" && s.PermitsNull() || kind == "integer" && s.Type.Is("number") {
			return true
		}
		isTyped = isTyped || s.Type != nil
	}
	return len(p) > 0 && !isTyped
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
