// Package docs serves the contract as an interactive page, from the program's own memory: no
// request leaves the host that serves it. It is a package of its own, so that tests which use the
// mock do not link a page.
package docs

import (
	_ "embed"
	"html/template"
	"net/http"

	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5emb"

	"github.com/unsend-go/unsend/internal/spec"
)

// Prefix is the path under which [Handler] must be mounted; with package mock:
//
//	mock.New(mock.WithHandler(docs.Prefix, docs.Handler(mock.DemoKey, mock.DemoConnection)))
const Prefix = "/docs"

const (
	pagePath = Prefix + "/"
	specPath = pagePath + "openapi.json"
)

// policy keeps the page to its own host, whatever it holds.
const policy = "default-src 'none'; connect-src 'self'; img-src 'self' data:; " +
	"script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'"

//go:embed head.html
var head string

//go:embed note.html
var note string

// showNote is a function of JavaScript that Swagger UI calls with each response.
const showNote = `function (response) {
	var gone = response.status === 404 && String(response.text).includes("RESOURCE_NOT_FOUND");
	document.getElementById("mock-note").classList.toggle("gone", gone);
	return response;
}`

// Handler serves the page at /docs/, and at /docs/openapi.json the contract that it shows. The
// server in that contract is the request's host, so that Execute calls what serves the page. The
// credentials are filled in.
func Handler(apiKey, connectionID string) http.Handler {
	page := v5emb.NewHandlerWithConfig(swgui.Config{
		Title:              "Unsend chat message",
		SwaggerJSON:        specPath,
		BasePath:           pagePath,
		PreAuthorizeApiKey: map[string]string{"apiKey": apiKey, "connectionId": connectionID},
		AppendHead:         template.HTML(head), //nolint:gosec // of this package
		PrependHTML:        template.HTML(note), //nolint:gosec // of this package
		SettingsUI: map[string]string{
			"defaultModelsExpandDepth": "1",
			"displayRequestDuration":   "true",
			"docExpansion":             `"full"`,
			"responseInterceptor":      showNote,
			"tryItOutEnabled":          "true",
		},
	})
	mux := http.NewServeMux()
	mux.Handle(pagePath, page)
	mux.HandleFunc(specPath, serveSpec)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		mux.ServeHTTP(w, r)
	})
}

func serveSpec(w http.ResponseWriter, r *http.Request) {
	here := spec.Server{URL: "http://" + r.Host, Description: "The mock that serves this page."}
	document, err := spec.JSON(spec.Document, here)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(document)
}
