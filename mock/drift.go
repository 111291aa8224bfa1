package mock

import (
	"bytes"
	"encoding/json"
	"strings"
)

// drift is a departure of the 200 body from the documentation.
type drift struct {
	name    Kind
	breaks  bool // breaks the contract too
	changes []change
}

// change replaces, adds or leaves out one member.
type change struct {
	at    string // the member's path: "queue.media[].createdAt"
	value string // JSON; empty leaves the member out
}

// DriftKinds lists the kinds of fault that change a member of the 200 body.
func DriftKinds() []Kind {
	var list []Kind
	for _, d := range drifts() {
		list = append(list, d.name)
	}
	return list
}

func driftOf(k Kind) (drift, bool) {
	if !strings.HasPrefix(string(k), "drift-") { // the table is not looked up for plain answers
		return drift{}, false
	}
	for _, d := range drifts() {
		if d.name == k {
			return d, true
		}
	}
	return drift{}, false
}

// unreadable reports whether the drift takes "success" from its reader.
func (d drift) unreadable() bool { return strings.HasPrefix(d.changes[0].at, "success") }

// apply changes the plain body, "success" staying first.
func (d drift) apply(plain []byte) []byte {
	success, queue, found := bytes.Cut(bytes.TrimPrefix(plain, []byte(successKey)), []byte(`,"queue":`))
	if !found {
		return plain
	}
	queue = bytes.TrimSuffix(queue, []byte("}"))
	var added []string
	for _, c := range d.changes {
		top, rest, nested := strings.Cut(c.at, ".")
		switch {
		case top == "success":
			success = []byte(c.value)
		case top == "queue" && nested:
			queue = edited(queue, rest, c.value)
		case top == "queue":
			queue = []byte(c.value)
		default:
			added = append(added, `"`+top+`":`+c.value)
		}
	}
	var members []string
	if len(success) > 0 {
		members = append(members, `"success":`+string(success))
	}
	if len(queue) > 0 {
		members = append(members, `"queue":`+string(queue))
	}
	return []byte("{" + strings.Join(append(members, added...), ",") + "}")
}

// edited sets or leaves out the member at path in a JSON object.
func edited(object []byte, path, value string) []byte {
	var doc any
	dec := json.NewDecoder(bytes.NewReader(object))
	dec.UseNumber() // ids must not pass through float64
	if dec.Decode(&doc) != nil {
		return object
	}
	edit(doc, strings.Split(path, "."), value)
	return encode(doc)
}

func edit(node any, path []string, value string) {
	object, ok := node.(map[string]any)
	if !ok {
		return
	}
	name, each := strings.CutSuffix(path[0], "[]")
	switch {
	case len(path) > 1 && each:
		list, _ := object[name].([]any)
		for _, element := range list {
			edit(element, path[1:], value)
		}
	case len(path) > 1:
		edit(object[name], path[1:], value)
	case value == "":
		delete(object, name)
	default:
		object[name] = json.RawMessage(value)
	}
}
