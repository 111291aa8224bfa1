package gen_test

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/unsend-go/unsend/gen"
	"github.com/unsend-go/unsend/internal/spec"
)

// unused fails the test if a request is sent.
type unused struct{ *testing.T }

func (t unused) Do(r *http.Request) (*http.Response, error) {
	t.Errorf("sent %s %s", r.Method, r.URL.Path)
	return nil, errors.New("sent")
}

// TestOperationsRefuseInvalidIDs calls every generated operation with ids that would address
// another resource. Each must return an error that does not quote the id, and send nothing.
func TestOperationsRefuseInvalidIDs(t *testing.T) {
	t.Parallel()
	client, err := gen.NewClientWithResponses("https://service.example", gen.WithHTTPClient(unused{t}))
	if err != nil {
		t.Fatal(err)
	}
	operations, tried := reflect.TypeOf(client), 0
	for operation := range operations.Methods() {
		for _, id := range []gen.PathID{"", ".", "..", "../7", "a/b", "a?b", "a#b", "%2e", "sk_live!", "\n"} {
			in, ids := []reflect.Value{reflect.ValueOf(client)}, 0
			for i := 1; i < operation.Type.NumIn()-1; i++ { // the last are request editors
				switch typ := operation.Type.In(i); typ {
				case reflect.TypeFor[context.Context]():
					in = append(in, reflect.ValueOf(t.Context()))
				case reflect.TypeFor[gen.PathID]():
					in, ids = append(in, reflect.ValueOf(id)), ids+1
				default:
					in = append(in, reflect.Zero(typ))
				}
			}
			if ids == 0 {
				continue
			}
			tried++
			err, _ := reflect.TypeAssert[error](operation.Func.Call(in)[1])
			if err == nil || !strings.Contains(err.Error(), "(invalid id)") || strings.Contains(err.Error(), "sk_live") {
				t.Errorf("%s(%q): %v; want an error with (invalid id) in place of the id", operation.Name, string(id), err)
			}
		}
	}
	if tried == 0 {
		t.Error("no generated operation has a PathID")
	}
}

// TestPathParametersAreIDs fails for a path parameter of openapi.yaml that gen would make a plain
// string, which can hold "..".
func TestPathParametersAreIDs(t *testing.T) {
	t.Parallel()
	doc, err := openapi3.NewLoader().LoadFromData(spec.Document)
	if err != nil {
		t.Fatal(err)
	}
	for path, item := range doc.Paths.Map() {
		parameters := item.Parameters
		for _, operation := range item.Operations() {
			parameters = append(parameters, operation.Parameters...)
		}
		for _, p := range parameters {
			if p.Value.In == "path" && p.Value.Schema.Ref != "#/components/schemas/ID" {
				t.Errorf("%s: the schema of {%s} is not $ref '#/components/schemas/ID'", path, p.Value.Name)
			}
		}
	}
}
