package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v4"
)

// Server is an entry of a document's servers.
type Server struct{ URL, Description string }

// JSON converts an OpenAPI document from YAML to indented JSON, with its members in the order in
// which they were written. Given servers replace the document's own.
func JSON(document []byte, servers ...Server) ([]byte, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(document, &root); err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	if root.Kind != yaml.DocumentNode || root.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("read the document: not a mapping")
	}
	if len(servers) > 0 {
		replaceServers(root.Content[0], servers)
	}
	var b bytes.Buffer
	if err := write(jsontext.NewEncoder(&b, jsontext.WithIndent("  ")), root.Content[0]); err != nil {
		return nil, fmt.Errorf("write the document as JSON: %w", err)
	}
	return b.Bytes(), nil
}

// replaceServers replaces the servers of the document, or adds them.
func replaceServers(document *yaml.Node, servers []Server) {
	var list yaml.Node
	_ = list.Encode(servers) // of plain strings
	for i := 0; i < len(document.Content); i += 2 {
		if document.Content[i].Value == "servers" {
			document.Content[i+1] = &list
			return
		}
	}
	document.Content = append(document.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: "servers"}, &list)
}

func write(enc *jsontext.Encoder, node *yaml.Node) error {
	begin, end := jsontext.BeginArray, jsontext.EndArray
	switch node.Kind {
	case yaml.AliasNode:
		return write(enc, node.Alias)
	case yaml.ScalarNode:
		return writeScalar(enc, node)
	case yaml.MappingNode:
		begin, end = jsontext.BeginObject, jsontext.EndObject
	}
	err := enc.WriteToken(begin)
	for i, child := range node.Content {
		isName := node.Kind == yaml.MappingNode && i%2 == 0
		switch {
		case err != nil:
			return err
		case isName && (child.Kind != yaml.ScalarNode || child.ShortTag() == "!!merge"):
			err = fmt.Errorf("line %d: not a name in JSON; if it is <<, write out what it merges", child.Line)
		case isName:
			err = enc.WriteToken(jsontext.String(child.Value))
		default:
			err = write(enc, child)
		}
	}
	if err != nil {
		return err
	}
	return enc.WriteToken(end)
}

// writeScalar writes numbers, booleans and nulls as such, and anything else as a string: dates,
// above all.
func writeScalar(enc *jsontext.Encoder, node *yaml.Node) error {
	switch node.ShortTag() {
	case "!!null", "!!bool", "!!int", "!!float":
	default:
		return enc.WriteToken(jsontext.String(node.Value))
	}
	var value any
	if err := node.Decode(&value); err != nil {
		return fmt.Errorf("line %d: %w", node.Line, err)
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("line %d: %w", node.Line, err)
	}
	return enc.WriteValue(encoded)
}
