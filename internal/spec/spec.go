// Package spec embeds the contract: a byte copy of the openapi.yaml at the top of this module,
// which go generate writes. It is embedded from here so that programs which link the contract
// need not import the root package, whose tools.go pins the generator.
package spec

import _ "embed"

// Document is openapi.yaml, an OpenAPI 3.0.3 document in YAML. Treat it as read-only.
//
//go:embed openapi.yaml
var Document []byte
