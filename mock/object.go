package mock

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	name  string
	value json.RawMessage
}

// parseObject returns nil for what is no JSON object.
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

// get returns nil for a member that is not there.
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
	changed := append(object{}, o...)
	for i := range changed {
		if changed[i].name == name {
			changed[i].value = value
			return changed
		}
	}
	return append(changed, member{name, value})
}

func (o object) without(name string) object {
	var left object
	for _, m := range o {
		if m.name != name {
			left = append(left, m)
		}
	}
	return left
}

func (o object) json() json.RawMessage {
	var b bytes.Buffer
	for i, m := range o {
		b.WriteByte("{,"[min(i, 1)])
		b.Write(quote(m.name))
		b.WriteByte(':')
		b.Write(m.value)
	}
	if len(o) == 0 {
		b.WriteByte('{')
	}
	b.WriteByte('}')
	return b.Bytes()
}

// edit sets the member at a path such as "queue.media[].id", where [] stands for each element
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
		list := listOf(inner)
		if list == nil {
			return text
		}
		for i := range list {
			list[i] = edit(list[i], rest, value)
		}
		return o.with(name, joinList(list)).json()
	case nested:
		return o.with(name, edit(inner, rest, value)).json()
	case value == "":
		return o.without(name).json()
	}
	return o.with(name, json.RawMessage(value)).json()
}

// listOf reads the elements of a JSON list; what is none is nil.
func listOf(value json.RawMessage) (list []json.RawMessage) {
	_ = json.Unmarshal(value, &list)
	return list
}

func joinList(list []json.RawMessage) json.RawMessage {
	elements := make([][]byte, len(list))
	for i, element := range list {
		elements[i] = element
	}
	return append(append([]byte("["), bytes.Join(elements, []byte(","))...), ']')
}

// quote writes a JSON string without escaping for HTML.
func quote(text string) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(text) // a string can always be written
	return bytes.TrimSpace(b.Bytes())
}

// textOf reads a JSON string; what is none is empty.
func textOf(value json.RawMessage) (text string) {
	_ = json.Unmarshal(value, &text)
	return text
}
