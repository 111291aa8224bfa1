package api_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestDependencies keeps out of users' programs what only tests and the command need.
func TestDependencies(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	deps := strings.Fields(string(out))
	if len(deps) < 50 {
		t.Fatalf("only %d packages: %s", len(deps), out)
	}
	for _, dep := range deps {
		for _, unwanted := range []string{
			"kin-openapi", "spf13", "unsend/mock", "unsend/contract", "unsend/batch", "unsend/cmd", "testing", "net/http/httptest", "gopkg.in", "go.yaml.in",
		} {
			if strings.Contains(dep, unwanted) {
				t.Errorf("api links %s", dep)
			}
		}
		if dep == "github.com/unsend-go/unsend" {
			t.Error("api links the contract's text")
		}
	}
}
