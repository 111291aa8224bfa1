//go:build !race

package bench

import (
	"context"
	"net/http"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/api"
)

// TestAllocations keeps a call from costing more unnoticed: allocations are exact, where
// times are not. The race detector allocates too, so that the test runs without it. Lower the figure
// when a call allocates less.
func TestAllocations(t *testing.T) {
	most := 54.0 // 29 of them are of the generated request builder, 6 of the test's response
	if !strings.HasPrefix(runtime.Version(), "go1.26") {
		most = 56 // Go 1.27 makes two more in net/http
	}
	next := roundTripper(func(req *http.Request) (*http.Response, error) {
		return respond(req, http.StatusOK, http.Header{}, strings.NewReader(`{"success":true}`)), nil
	})
	client, err := api.New(key, api.WithConnection(connection), api.WithHTTPClient(&http.Client{Transport: next}))
	if err != nil {
		t.Fatal(err)
	}
	got := testing.AllocsPerRun(50, func() {
		if _, err := client.Unsend(context.Background(), userID, messageID); err != nil {
			t.Fatal(err)
		}
	})
	if got > most {
		t.Errorf("Unsend makes %v allocations, and made %v before; find out why", got, most)
	}
}

// TestModules keeps api from linking another module unnoticed.
func TestModules(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "../../api").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	got := slices.Compact(slices.Sorted(slices.Values(strings.Fields(string(out)))))
	want := []string{
		"github.com/apapsch/go-jsonmerge/v2", // of the oapi-codegen runtime
		"github.com/go-json-experiment/json", // decodes the snapshot
		"github.com/google/uuid",             // of the oapi-codegen runtime
		"github.com/oapi-codegen/runtime",    // of the generated code
		"github.com/unsend-go/unsend",
	}
	if !slices.Equal(got, want) {
		t.Errorf("api links the modules\n%q\nand should link\n%q", got, want)
	}
}
