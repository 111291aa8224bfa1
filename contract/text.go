package contract

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v4"
)

// entry is an entry of a mapping in openapi.yaml.
type entry struct {
	key, value *yaml.Node
	inBraces   bool
}

// find returns the entry at a pointer. If there is none, as behind an alias, its value is missing and
// its key is that of the last entry on the way.
func find(root *yaml.Node, pointer jsontext.Pointer) entry {
	e := entry{root, root, false}
	for name := range pointer.Tokens() {
		e = e.child(name)
	}
	return e
}

func (e entry) child(name string) entry {
	i, err := strconv.Atoi(name)
	if list := e.value.Kind == yaml.SequenceNode; list && err == nil && i < len(e.value.Content) {
		return entry{e.value.Content[i], e.value.Content[i], isFlow(e.value)}
	}
	for i := 0; e.value.Kind == yaml.MappingNode && i < len(e.value.Content); i += 2 {
		if e.value.Content[i].Value == name {
			return entry{e.value.Content[i], e.value.Content[i+1], isFlow(e.value)}
		}
	}
	return entry{e.key, &yaml.Node{}, true}
}

func (e entry) isMissing() bool { return e.value.Kind == 0 }

// column returns the column in which the members of a mapping, or the items of a list, begin. It
// returns 0 if they are not on lines of their own.
func (e entry) column() int {
	if isFlow(e.value) || len(e.value.Content) == 0 || e.isShared() {
		return 0
	}
	return e.value.Column
}

// isShared reports whether the value has a tag, an anchor, or is an alias.
func (e entry) isShared() bool {
	return e.value.Anchor != "" || e.value.Kind == yaml.AliasNode || e.value.Style&yaml.TaggedStyle != 0
}

func isFlow(node *yaml.Node) bool { return node.Style&yaml.FlowStyle != 0 }
