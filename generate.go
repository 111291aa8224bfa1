// Package unsend holds the go:generate directives that turn openapi.yaml into the code of this
// module. Nothing imports it: programs that unsend messages import the package api, tests import
// mock and contract.
package unsend

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config gen/models.yaml openapi.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config gen/client.yaml openapi.yaml
//go:generate go run internal/spec/copy.go openapi.yaml internal/spec/openapi.yaml
