// Package unsend holds the contract of OFAuth's unsend endpoint: [OpenAPI] is openapi.yaml,
// the file that everything else in this module is generated from or checked against.
//
// Programs that unsend messages import the package api; tests import mock and contract.
package unsend

import _ "embed"

// OpenAPI is the contract, an OpenAPI 3.0.3 document in YAML.
//
//go:embed openapi.yaml
var OpenAPI []byte

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config gen/models.yaml openapi.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config gen/client.yaml openapi.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config gen/server.yaml openapi.yaml
//go:generate go run ./internal/snapshot/generate gen internal/snapshot/decode.gen.go
