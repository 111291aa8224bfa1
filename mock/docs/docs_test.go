package docs_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/mock"
	"github.com/unsend-go/unsend/mock/docs"
)

func serve(t *testing.T) *httptest.Server {
	t.Helper()
	server := mock.New(mock.WithHandler(docs.Prefix, docs.Handler("the-key", "the-connection")))
	front := httptest.NewServer(server)
	t.Cleanup(front.Close)
	return front
}

// fetched is a response that has been read.
type fetched struct {
	status int
	header http.Header
	body   string
}

// get follows no redirect.
func get(t *testing.T, url string) fetched {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fetched{resp.StatusCode, resp.Header, string(body)}
}

// TestPage follows every reference of the page: each is served by the same server, and the
// credentials are in it.
func TestPage(t *testing.T) {
	server := serve(t)
	page := get(t, server.URL+"/docs/")
	if page.status != http.StatusOK || !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") {
		t.Fatalf("the page: status %d, %s", page.status, page.header.Get("Content-Type"))
	}
	for _, want := range []string{"the-key", "the-connection", `"/docs/openapi.json"`, `name="viewport"`, "because the message is gone"} {
		if !strings.Contains(strings.ReplaceAll(page.body, `\/`, "/"), want) {
			t.Errorf("the page does not hold %s", want)
		}
	}
	references := regexp.MustCompile(`(?:href|src)="([^"]+)"`).FindAllStringSubmatch(page.body, -1)
	if len(references) < 4 {
		t.Fatalf("the page refers to %v, want a style sheet, two scripts and an icon at least", references)
	}
	for _, reference := range references {
		if path := reference[1]; !strings.HasPrefix(path, "/docs/") {
			t.Errorf("the page refers to %s, which is not below /docs/", path)
		} else if got := get(t, server.URL+path); got.status != http.StatusOK || got.body == "" {
			t.Errorf("%s: status %d", path, got.status)
		}
	}
}

func TestPageAllowsNoOtherHost(t *testing.T) {
	server := serve(t)
	for _, path := range []string{"/docs/", "/docs/openapi.json", "/docs/swagger-ui.css"} {
		policy := get(t, server.URL+path).header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "http") || strings.Contains(policy, "*") {
			t.Errorf("%s comes with the policy %q, want one that allows its own host alone", path, policy)
		}
	}
}

// TestSpec asks for the contract under two names of the server: it is the server of each.
func TestSpec(t *testing.T) {
	server := serve(t)
	for _, base := range []string{server.URL, strings.Replace(server.URL, "127.0.0.1", "localhost", 1)} {
		got := get(t, base+"/docs/openapi.json")
		var document struct {
			OpenAPI string
			Servers []struct{ URL, Description string }
			Paths   map[string]any
		}
		if err := json.Unmarshal([]byte(got.body), &document); err != nil {
			t.Fatal(err)
		}
		if got.status != http.StatusOK || document.OpenAPI != "3.0.3" || len(document.Paths) == 0 {
			t.Errorf("the contract: status %d: %.80s", got.status, got.body)
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
