package mock

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/unsend-go/unsend/contract"
	"github.com/unsend-go/unsend/internal/spec"
)

// document is what the mock serves: the operations of an OpenAPI document.
type document struct {
	operations map[string]operation                // by their ids in package contract
	validator  func() (*contract.Validator, error) // shared: building one takes longer than thousands of requests
	err        error
}

// ownDocument reads openapi.yaml once in a process.
var ownDocument = sync.OnceValue(func() document { return readDocument(spec.Document) })

func readDocument(text []byte) document {
	indented, err := spec.JSON(text)
	var compact bytes.Buffer
	_ = json.Compact(&compact, indented) // nothing is left of what is no JSON
	return document{
		operations: readOperations(parseObject(compact.Bytes())),
		validator:  sync.OnceValues(func() (*contract.Validator, error) { return contract.New(contract.WithDocument(text)) }),
		err:        err,
	}
}

// operation is an operation of the document: its route, and the examples of its responses.
type operation struct {
	id, method, path string
	isOpen           bool                 // needs no credentials
	examples         map[string][]example // by status, or "default"; in the document's order
}

// example is a body of a media type; of none if the response has no body.
type example struct {
	mediaType string
	body      json.RawMessage
}

func readOperations(document object) map[string]operation {
	d := &reader{document, map[string]object{}}
	all := map[string]operation{}
	for _, path := range parseObject(document.get("paths")) {
		for _, method := range d.resolve(path.value) {
			fields := d.resolve(method.value)
			responses := parseObject(fields.get("responses"))
			if responses == nil {
				continue // parameters, a summary, an extension
			}
			op := operation{method: strings.ToUpper(method.name), path: path.name, examples: map[string][]example{}}
			security := cmp.Or(string(fields.get("security")), string(document.get("security")), "[]")
			op.isOpen = security == "[]" || strings.Contains(security, "{}")
			op.id = cmp.Or(textOf(fields.get("operationId")), op.method+" "+op.path)
			for _, r := range responses {
				op.examples[r.name] = d.examples(d.resolve(r.value))
			}
			all[op.id] = op
		}
	}
	return all
}

// examples lists the examples of a response.
func (d *reader) examples(response object) (list []example) {
	content := parseObject(response.get("content"))
	if len(content) == 0 {
		return []example{{}}
	}
	for _, c := range content {
		media := d.resolve(c.value)
		bodies := []json.RawMessage{media.get("example")}
		for _, example := range d.resolve(media.get("examples")) {
			bodies = append(bodies, d.resolve(example.value).get("value"))
		}
		bodies = slices.DeleteFunc(bodies, func(body json.RawMessage) bool { return body == nil })
		if own := d.resolve(media.get("schema")).get("example"); len(bodies) == 0 && own != nil {
			bodies = append(bodies, own)
		}
		for _, body := range bodies {
			list = append(list, example{c.name, body})
		}
	}
	return list
}

// ofRange names a type of each range of media types.
var ofRange = strings.NewReplacer("*/*", mediaJSON, "text/*", "text/plain", "*+", "vnd.mock+", "*", "json")

// response is the example as it is sent: a text in JSON only if that is its type.
func (e example) response(status int) response {
	mediaType := ofRange.Replace(e.mediaType)
	a := response{status: status, header: http.Header{}, body: e.body}
	if text := textOf(e.body); text != "" && !strings.Contains(mediaType, "json") {
		a.body = []byte(text)
	}
	if mediaType != "" {
		a.header.Set("Content-Type", mediaType)
	}
	return a
}

// example is the first example of the first 2xx that has one, or that has no body, such as 204; that
// of the default response if no 2xx is listed. It reports whether there is one.
func (op operation) example() (response, bool) {
	isListed := false
	for _, name := range slices.Sorted(maps.Keys(op.examples)) { // "default" is the last
		status, err := strconv.Atoi(strings.Replace(name, "XX", "00", 1))
		if name == "default" && !isListed {
			status, err = http.StatusOK, nil
		}
		if err != nil || status/100 != 2 {
			continue
		}
		isListed = true
		if list := op.examples[name]; len(list) > 0 {
			return list[0].response(status), true
		} else if bodiless(status) {
			return example{}.response(status), true
		}
	}
	return jsonResponse(http.StatusOK, nil), false
}

// reader reads the objects of a document, those that references pass once.
type reader struct {
	document object
	passed   map[string]object // by reference
}

// at returns the object that a reference such as "#/components/responses/X" points to.
func (d *reader) at(ref string) object {
	i := strings.LastIndex(ref, "/")
	if i < 0 {
		return d.document
	}
	if _, found := d.passed[ref]; !found {
		name := strings.ReplaceAll(strings.ReplaceAll(ref[i+1:], "~1", "/"), "~0", "~")
		d.passed[ref] = parseObject(d.at(ref[:i]).get(name))
	}
	return d.passed[ref]
}

// resolve reads an object, or the one that its $ref points to.
func (d *reader) resolve(text json.RawMessage) object {
	found := parseObject(text)
	for range 10 { // a reference to a reference, and never a circle
		ref := textOf(found.get("$ref"))
		if ref == "" {
			break
		}
		found = d.at(ref)
	}
	return found
}

// success is the first example that reports a message as unsent, with a snapshot.
func (op operation) success() object {
	for _, example := range op.examples["200"] {
		body := parseObject(example.body)
		if string(body.get("success")) == "true" && parseObject(body.get("queue")) != nil {
			return body
		}
	}
	return object{{"success", json.RawMessage("true")}}
}

// failure is the example of an error of that status and type; of any type if errorType is empty, and
// otherwise with errorType in place of another type.
func (op operation) failure(status int, errorType string) object {
	name := strconv.Itoa(status)
	body := object{{"error", encode("Error")}}
	for i, example := range slices.Concat(op.examples[name], op.examples[name[:1]+"XX"], op.examples["default"]) {
		found := parseObject(example.body)
		if found != nil && (errorType == "" || textOf(found.get("type")) == errorType) {
			return found
		}
		if found != nil && i == 0 {
			body = found
		}
	}
	return body.with("type", encode(errorType))
}

// Marks stand in a snapshot where the ids of a request go. No example holds such numbers.
const (
	messageMark = "9200000000000000001"
	userMark    = "9200000000000000002"
)

// snapshot is the plain body of a 200, from the example of openapi.yaml, with marks.
type snapshot []byte

// newSnapshot puts "success" first, which faults rely on, and repeats the example's first
// medium, with ids that count up.
func newSnapshot(example object, media int) snapshot {
	body := append(object{{"success", example.get("success")}}, example.without("success")...).json()
	body = edit(body, "queue.id", messageMark)
	body = edit(body, "queue.fromUser.id", userMark)

	var models []json.RawMessage
	if json.Unmarshal(parseObject(example.get("queue")).get("media"), &models) != nil || len(models) == 0 {
		return snapshot(body)
	}
	first, _ := strconv.Atoi(string(parseObject(models[0]).get("id")))
	list, ids := make([]json.RawMessage, media), make([]json.RawMessage, media)
	for i := range list {
		ids[i] = json.RawMessage(strconv.Itoa(first + i))
		list[i] = bytes.ReplaceAll(models[0], []byte(strconv.Itoa(first)), ids[i]) // its addresses too
	}
	body = edit(body, "queue.previews", string(encode(ids[:min(media, 1)])))
	body = edit(body, "queue.mediaCount", strconv.Itoa(media))
	body = edit(body, "queue.mediaTypes.photo", strconv.Itoa(media))
	return snapshot(edit(body, "queue.media", string(encode(list))))
}

// body fills in the ids.
func (s snapshot) body(userID, messageID string) []byte {
	body := bytes.Replace(s, []byte(messageMark), []byte(number(messageID)), 1)
	return bytes.Replace(body, []byte(userMark), []byte(number(userID)), 1)
}

// number is an id as the snapshot's integer. One that is no decimal number of at most 18
// digits shows as 0: that is the mock's choice.
func number(id string) string {
	if decimal.MatchString(id) {
		return id
	}
	return "0"
}

var decimal = regexp.MustCompile(`^[1-9][0-9]{0,17}$`)

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	name  string
	value json.RawMessage
}

// parseObject returns nil if the text is not a JSON object.
func parseObject(text []byte) object {
	dec := json.NewDecoder(bytes.NewReader(text))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil
	}
	o := object{}
	for dec.More() {
		name, _ := dec.Token() // a bad one fails again below
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil
		}
		o = append(o, member{fmt.Sprint(name), value})
	}
	return o
}

// get returns nil for a missing member.
func (o object) get(name string) json.RawMessage {
	for _, m := range o {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// with returns a copy in which the member has the value. One that is new comes last.
func (o object) with(name string, value json.RawMessage) object {
	changed := slices.Clone(o)
	for i := range changed {
		if changed[i].name == name {
			changed[i].value = value
			return changed
		}
	}
	return append(changed, member{name, value})
}

func (o object) without(name string) object {
	return slices.DeleteFunc(slices.Clone(o), func(m member) bool { return m.name == name })
}

func (o object) json() json.RawMessage {
	text := []byte("{")
	for i, m := range o {
		if i > 0 {
			text = append(text, ',')
		}
		text = slices.Concat(text, encode(m.name), []byte(":"), m.value)
	}
	return append(text, '}')
}

// edit sets the member at a path such as "queue.media[].id", in which [] stands for each element
// of a list. An empty value removes it. Members on the way that are missing stay so.
func edit(text json.RawMessage, path, value string) json.RawMessage {
	o := parseObject(text)
	name, rest, nested := strings.Cut(path, ".")
	name, each := strings.CutSuffix(name, "[]")
	inner := o.get(name)
	switch {
	case o == nil, nested && inner == nil:
		return text
	case nested && each:
		var list []json.RawMessage
		if json.Unmarshal(inner, &list) != nil {
			return text
		}
		for i := range list {
			list[i] = edit(list[i], rest, value)
		}
		return o.with(name, encode(list)).json()
	case nested:
		return o.with(name, edit(inner, rest, value)).json()
	case value == "":
		return o.without(name).json()
	}
	return o.with(name, json.RawMessage(value)).json()
}

// encode writes JSON without escaping for HTML.
func encode(value any) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(value) // a string or JSON
	return bytes.TrimSpace(b.Bytes())
}

// escape is a character as JSON or a URL may spell it.
var escape = regexp.MustCompile(`\\u00[0-9a-fA-F]{2}|%[0-9a-fA-F]{2}|\\/`)

// unescaped replaces the escapes of JSON and of URLs for ASCII characters by these characters.
func unescaped(text string) string {
	if !strings.ContainsAny(text, `\%`) {
		return text
	}
	return escape.ReplaceAllStringFunc(text, func(spelled string) string {
		if spelled == `\/` {
			return "/"
		}
		code, _ := strconv.ParseUint(spelled[len(spelled)-2:], 16, 8)
		return string(rune(code))
	})
}

// textOf decodes a JSON string. Anything else is empty.
func textOf(value json.RawMessage) (text string) {
	_ = json.Unmarshal(value, &text)
	return text
}
