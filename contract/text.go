package contract

import (
	"cmp"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v4"
)

// text is a document as it is written.
type text struct {
	root    *yaml.Node
	entries map[*yaml.Node]entry // by their values
}

// entry is an entry of a mapping of the document, or an item of a list, which is its own key.
type entry struct {
	key, value *yaml.Node
	inBraces   bool
}

func readText(document []byte) (text, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(document, &root); err != nil {
		return text{}, err
	}
	t := text{root.Content[0], map[*yaml.Node]entry{}}
	t.read(t.root)
	return t, nil
}

func (t text) read(node *yaml.Node) {
	for i, child := range node.Content {
		key := child
		if node.Kind == yaml.MappingNode {
			key = node.Content[i-i%2]
		}
		t.entries[child] = entry{key, child, isFlow(node)}
		t.read(child)
	}
}

func isFlow(node *yaml.Node) bool { return node.Style&yaml.FlowStyle != 0 }

// find returns the entry at a pointer, behind all references and aliases; a zero entry if there is
// none.
func (t text) find(pointer jsontext.Pointer) entry {
	node := t.root
	for name := range pointer.Tokens() {
		node = t.resolve(t.child(node, name))
	}
	return t.entries[node]
}

// resolve returns what a node refers to, by an alias or by $ref.
func (t text) resolve(node *yaml.Node) *yaml.Node {
	if node != nil && node.Kind == yaml.AliasNode {
		return t.resolve(node.Alias)
	}
	ref := t.child(node, "$ref")
	if ref == nil || ref.Kind != yaml.ScalarNode {
		return node
	}
	pointer, err := url.PathUnescape(strings.TrimPrefix(ref.Value, "#"))
	if err != nil {
		return nil
	}
	return t.find(jsontext.Pointer(pointer)).value
}

// child returns a member of a mapping, which may be merged into it, or an item of a list; nil if
// there is none.
func (t text) child(node *yaml.Node, name string) *yaml.Node {
	switch {
	case node == nil:
		return nil
	case node.Kind == yaml.AliasNode:
		return t.child(node.Alias, name)
	case node.Kind == yaml.SequenceNode:
		i, err := strconv.Atoi(name)
		if err != nil || i >= len(node.Content) {
			return nil
		}
		return node.Content[i]
	case node.Kind != yaml.MappingNode:
		return nil
	}
	var found *yaml.Node
	for i := 0; i < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		switch {
		case key.Value == name:
			return value
		case key.ShortTag() != "!!merge":
		case value.Kind == yaml.SequenceNode:
			for _, merged := range value.Content {
				found = cmp.Or(found, t.child(merged, name))
			}
		default:
			found = cmp.Or(found, t.child(value, name))
		}
	}
	return found
}

// column returns where the members of a mapping, or the items of a list, begin in a line; 0 if they
// do not have lines of their own.
func (e entry) column() int {
	switch {
	case isFlow(e.value) || len(e.value.Content) == 0:
		return 0
	case e.value.Kind == yaml.MappingNode:
		return e.value.Content[0].Column // that of a mapping may be its anchor's
	case e.value.Anchor != "":
		return 0
	}
	return e.value.Column
}
