//go:build tools

package unsend

// Pins the generator's version in go.mod; generate.go runs it. Nothing is built with this
// tag: the generator is a program and cannot be imported.
import _ "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen"
