package spec_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/unsend-go/unsend/internal/spec"
)

func TestJSON(t *testing.T) {
	tests := []struct{ name, yaml, want string }{
		{"order is kept", "b: 1\na: 2\n", `{"b":1,"a":2}`},
		{"scalars", "x: [1, 2.5, true, null, ~, text, '404', <b>]", `{"x":[1,2.5,true,null,null,"text","404","<b>"]}`},
		{"dates", "x: 2025-07-23T10:01:22+00:00", `{"x":"2025-07-23T10:01:22+00:00"}`},
		{"names", "200: a\ntrue: b\n'': c", `{"200":"a","true":"b","":"c"}`},
		{"large integers", "x: 6432457811894123", `{"x":6432457811894123}`},
		{"aliases", "x: &x {y: 1}\nz: *x", `{"x":{"y":1},"z":{"y":1}}`},
		{"empty", "x: {}\ny: []", `{"x":{},"y":[]}`},
		{"texts of many lines", "x: |\n  a\n  b\n", `{"x":"a\nb\n"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := spec.JSON([]byte(tt.yaml))
			if err != nil {
				t.Fatal(err)
			}
			if compact(t, got) != tt.want {
				t.Errorf("got  %s\nwant %s", compact(t, got), tt.want)
			}
		})
	}
}

func TestJSONReplacesServers(t *testing.T) {
	for _, document := range []string{"servers: [{url: https://a.example}]\nz: 1", "z: 1"} {
		got, err := spec.JSON([]byte(document), spec.Server{URL: "http://127.0.0.1:1", Description: "here"}, spec.Server{URL: "http://b.example"})
		if err != nil {
			t.Fatal(err)
		}
		want := `"servers":[{"url":"http://127.0.0.1:1","description":"here"},{"url":"http://b.example","description":""}]`
		if !strings.Contains(compact(t, got), want) || strings.Contains(string(got), "a.example") {
			t.Errorf("%s became %s, want it to hold %s alone", document, got, want)
		}
	}
}

func TestJSONRefuses(t *testing.T) {
	for _, document := range []string{"", "just text", "- a list", "a: [", "a: *nowhere", "? [a]\n: b", "a: {<<: {b: 1}}", "x: .nan"} {
		if got, err := spec.JSON([]byte(document)); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %s and the error %v, want an error of one line", document, got, err)
		}
	}
}

// TestJSONContract holds the JSON of the contract against its YAML: JSON is YAML too.
func TestJSONContract(t *testing.T) {
	converted, err := spec.JSON(spec.Document)
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := errors.Join(yaml.Unmarshal(converted, &got), yaml.Unmarshal(spec.Document, &want)); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Error("the contract's JSON differs from its YAML")
	}
	if !strings.HasPrefix(string(converted), "{\n  \"openapi\"") {
		t.Errorf("the JSON starts with %.40q, want the member openapi first", converted)
	}
}

func compact(t *testing.T, text []byte) string {
	t.Helper()
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(json.RawMessage(text)); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String())
}
