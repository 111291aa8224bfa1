// Package specjson writes an OpenAPI document that was written in YAML as JSON, with its
// members in the order in which the author put them.
package specjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"go.yaml.in/yaml/v4"
)

// Server is an entry of the document's servers.
type Server struct{ URL, Description string }

// Convert returns the document as indented JSON. Where servers are given, they stand in place
// of the document's own.
func Convert(document []byte, servers ...Server) ([]byte, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(document, &root); err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	if root.Kind != yaml.DocumentNode || root.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("read the document: it is no mapping")
	}
	if len(servers) > 0 {
		replaceServers(root.Content[0], servers)
	}
	var compact, indented bytes.Buffer
	if err := write(&compact, root.Content[0]); err != nil {
		return nil, fmt.Errorf("write the document as JSON: %w", err)
	}
	if err := json.Indent(&indented, compact.Bytes(), "", "  "); err != nil {
		return nil, fmt.Errorf("write the document as JSON: %w", err)
	}
	indented.WriteByte('\n')
	return indented.Bytes(), nil
}

// replaceServers makes these the servers of the document, wherever it has them.
func replaceServers(document *yaml.Node, servers []Server) {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for _, s := range servers {
		list.Content = append(list.Content, &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{
			text("url"), text(s.URL), text("description"), text(s.Description),
		}})
	}
	for i := 0; i < len(document.Content); i += 2 {
		if document.Content[i].Value == "servers" {
			document.Content[i+1] = list
			return
		}
	}
	document.Content = append(document.Content, text("servers"), list)
}

func text(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
}

func write(b *bytes.Buffer, node *yaml.Node) error {
	switch node.Kind {
	case yaml.AliasNode:
		return write(b, node.Alias)
	case yaml.MappingNode:
		return writeAll(b, "{}", node.Content, 2)
	case yaml.SequenceNode:
		return writeAll(b, "[]", node.Content, 1)
	case yaml.ScalarNode:
		return writeScalar(b, node)
	case yaml.DocumentNode:
	}
	return fmt.Errorf("line %d: a node of no known kind", node.Line)
}

// writeAll writes what stands between two brackets. Each member is size nodes: a value, or
// its name and it.
func writeAll(b *bytes.Buffer, brackets string, nodes []*yaml.Node, size int) error {
	b.WriteByte(brackets[0])
	for i, node := range nodes {
		switch {
		case i%size > 0:
			b.WriteByte(':')
		case i > 0:
			b.WriteByte(',')
		}
		var err error
		if size > 1 && i%size == 0 {
			err = writeName(b, node)
		} else {
			err = write(b, node)
		}
		if err != nil {
			return err
		}
	}
	b.WriteByte(brackets[1])
	return nil
}

func writeName(b *bytes.Buffer, node *yaml.Node) error {
	if node.Kind != yaml.ScalarNode || node.ShortTag() == "!!merge" {
		return fmt.Errorf("line %d: a name that JSON does not have", node.Line)
	}
	return writeText(b, node.Value)
}

// writeScalar writes numbers, booleans and nulls as such, and all else as a string as it
// stands: dates, above all.
func writeScalar(b *bytes.Buffer, node *yaml.Node) error {
	var value any
	switch node.ShortTag() {
	case "!!null", "!!bool", "!!int", "!!float":
		if err := node.Decode(&value); err != nil {
			return fmt.Errorf("line %d: %w", node.Line, err)
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("line %d: %w", node.Line, err)
		}
		b.Write(encoded)
		return nil
	}
	return writeText(b, node.Value)
}

func writeText(b *bytes.Buffer, value string) error {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	return enc.Encode(value) // and a newline, which indenting drops
}
