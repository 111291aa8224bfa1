package docs_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/mock"
	"github.com/unsend-go/unsend/mock/docs"
)

// get asks a mock with the page for a URL.
func get(t *testing.T, url string) *httptest.ResponseRecorder {
	t.Helper()
	server := mock.New(mock.WithHandler(docs.Prefix, docs.Handler("the-key", "the-connection")))
	w := httptest.NewRecorder()
	server.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, url, nil))
	return w
}

// TestPage follows every reference of the page: each is served by the same server, and the
// credentials are in it.
func TestPage(t *testing.T) {
	page := get(t, "/docs/")
	body, contentType := page.Body.String(), page.Header().Get("Content-Type")
	if page.Code != http.StatusOK || !strings.HasPrefix(contentType, "text/html") {
		t.Fatalf("the page: status %d, %s", page.Code, contentType)
	}
	for _, want := range []string{"the-key", "the-connection", `"/docs/openapi.json"`, `name="viewport"`, "because the message is gone"} {
		if !strings.Contains(strings.ReplaceAll(body, `\/`, "/"), want) {
			t.Errorf("the page does not hold %s", want)
		}
	}
	references := regexp.MustCompile(`(?:href|src)="([^"]+)"`).FindAllStringSubmatch(body, -1)
	if len(references) < 4 {
		t.Fatalf("the page refers to %v, want a style sheet, two scripts and an icon at least", references)
	}
	for _, reference := range references {
		if path := reference[1]; !strings.HasPrefix(path, "/docs/") {
			t.Errorf("the page refers to %s, which is not below /docs/", path)
		} else if got := get(t, path); got.Code != http.StatusOK || got.Body.Len() == 0 {
			t.Errorf("%s: status %d", path, got.Code)
		}
	}
}

func TestPageAllowsNoOtherHost(t *testing.T) {
	for _, path := range []string{"/docs/", "/docs/openapi.json", "/docs/swagger-ui.css"} {
		policy := get(t, path).Header().Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "http") || strings.Contains(policy, "*") {
			t.Errorf("%s comes with the policy %q, want one that allows its own host alone", path, policy)
		}
	}
}

// TestSpec asks for the contract under two names of the server: it is the server of each.
func TestSpec(t *testing.T) {
	for _, base := range []string{"http://127.0.0.1:4010", "http://localhost:8080"} {
		got := get(t, base+"/docs/openapi.json")
		var document struct {
			OpenAPI string
			Servers []struct{ URL, Description string }
			Paths   map[string]any
		}
		if err := json.Unmarshal(got.Body.Bytes(), &document); err != nil {
			t.Fatal(err)
		}
		if got.Code != http.StatusOK || document.OpenAPI != "3.0.3" || len(document.Paths) == 0 {
			t.Errorf("the contract: status %d: %.80s", got.Code, got.Body)
		}
		if len(document.Servers) != 1 || document.Servers[0].URL != base || !strings.Contains(document.Servers[0].Description, "mock") {
			t.Errorf("its servers are %v, want %s alone, called a mock", document.Servers, base)
		}
	}
}

// TestMockLinksNoPage keeps the page out of programs that use the mock alone.
func TestMockLinksNoPage(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "github.com/unsend-go/unsend/mock").Output()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(out), "swgui") || !strings.Contains(string(out), "unsend/contract") {
		t.Errorf("package mock links:\n%s", out)
	}
}
