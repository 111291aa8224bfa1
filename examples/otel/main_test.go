package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"testing/synctest"

	"go.opentelemetry.io/contrib/instrumentation/net/http/httptrace/otelhttptrace"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

const (
	plantedKey        = "sk_planted_0123456789"
	plantedConnection = "conn_planted"
)

// traced returns a client of the server, and what it traced.
func traced(t *testing.T, server *mock.Server, transport http.RoundTripper) (*tracedClient, *tracetest.InMemoryExporter) {
	t.Helper()
	if transport == nil {
		transport = server.Client().Transport
	}
	base := api.WithHTTPClient(&http.Client{Transport: transport})
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	client, err := newTracedClient(provider, plantedKey, base, api.WithConnection(plantedConnection), api.WithRetries(1))
	if err != nil {
		t.Fatal(err)
	}
	return client, spans
}

func planted() *mock.Server {
	return mock.New(mock.WithKeys(plantedKey), mock.WithConnections(mock.Connection{ID: plantedConnection}))
}

func TestAttemptsAreChildrenOfTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := planted()
		server.Next(mock.Fault{Status: http.StatusTooManyRequests, RetryAfter: "1"})
		client, spans := traced(t, server, nil)
		if _, err := client.Unsend(t.Context(), "5", "6"); err != nil {
			t.Fatal(err)
		}
		got := spans.GetSpans()
		if len(got) != 3 || got[0].Name != "unsend attempt" || got[1].Name != "unsend attempt" || got[2].Name != "unsend message" {
			t.Fatalf("spans are %v, want two attempts, then the call", got)
		}
		for i, want := range []int64{http.StatusTooManyRequests, http.StatusOK} {
			if got[i].Parent.SpanID() != got[2].SpanContext.SpanID() {
				t.Errorf("attempt %d is not below the call", i+1)
			}
			if status := attributeOf(got[i], "http.response.status_code"); status != want {
				t.Errorf("attempt %d has the status %v, want %d", i+1, status, want)
			}
		}
		if attempts := attributeOf(got[2], "unsend.attempts"); attempts != int64(2) {
			t.Errorf("the call has %v attempts, want 2", attempts)
		}
		if outcome := attributeOf(got[2], "unsend.outcome"); outcome != "unsent" {
			t.Errorf("the call's outcome is %v, want unsent", outcome)
		}
	})
}

func TestFailureIsMarked(t *testing.T) {
	server := planted()
	server.Next(mock.Fault{Status: http.StatusBadRequest})
	client, spans := traced(t, server, nil)
	if _, err := client.Unsend(t.Context(), "5", "6"); err == nil {
		t.Fatal("a 400 is no error")
	}
	call := spans.GetSpans()[1]
	if call.Status.Code != codes.Error || len(call.Events) != 1 {
		t.Errorf("the call has the status %v and %d events, want an error and one", call.Status, len(call.Events))
	}
}

// TestNoCredentialInAnySpan looks for a planted key and connection in all that is exported,
// and for a trace in what the service gets.
func TestNoCredentialInAnySpan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := planted()
		server.Next(mock.Fault{Status: http.StatusTooManyRequests, RetryAfter: "1"}, mock.Fault{}, mock.Fault{Status: http.StatusBadRequest})
		watch := &watcher{next: server.Client().Transport}
		client, spans := traced(t, server, watch)
		_, _ = client.Unsend(t.Context(), "5", "6")
		_, _ = client.Unsend(t.Context(), "5", "7") // fails
		_, _ = client.Unsend(t.Context(), "5", "6") // is gone
		if len(watch.seen) != 4 {
			t.Fatalf("%d requests were sent, want 4", len(watch.seen))
		}
		for _, header := range watch.seen {
			if header.Get("apiKey") != plantedKey {
				t.Error("a request came without the key: this test would find nothing")
			}
			if header.Get("traceparent") != "" || header.Get("baggage") != "" {
				t.Errorf("the service got a trace: %v", header)
			}
		}
		exported := spans.GetSpans()
		if len(exported) != 7 {
			t.Fatalf("%d spans, want 7", len(exported))
		}
		text, err := json.Marshal(exported)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "/chats/5/messages/7") {
			t.Fatal("the text of the spans lacks what they recorded: this test would find nothing")
		}
		for _, secret := range []string{plantedKey, plantedConnection} {
			if strings.Contains(string(text), secret) {
				t.Errorf("the spans hold %s", secret)
			}
		}
	})
}

// watcher keeps the headers of what is sent.
type watcher struct {
	next http.RoundTripper
	seen []http.Header
}

func (w *watcher) RoundTrip(req *http.Request) (*http.Response, error) {
	w.seen = append(w.seen, req.Header.Clone())
	return w.next.RoundTrip(req)
}

func TestRunPrintsTheTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		if err := run(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(out.String(), `"Name": "unsend attempt"`); got != 3 {
			t.Errorf("the trace has %d attempts, want 3: one more than messages", got)
		}
		if strings.Contains(out.String(), mock.DemoKey) {
			t.Error("the trace holds the key")
		}
	})
}

func attributeOf(span tracetest.SpanStub, name string) any {
	for _, a := range span.Attributes {
		if string(a.Key) == name {
			return a.Value.AsInterface()
		}
	}
	return nil
}

// TestClientTraceRecordsTheKey is why the README warns of otelhttptrace, and that its remedy works.
func TestClientTraceRecordsTheKey(t *testing.T) {
	for name, c := range map[string]struct {
		opts  []otelhttptrace.ClientTraceOption
		shown bool
	}{
		"as it is shown":   {shown: true},
		"headers redacted": {opts: []otelhttptrace.ClientTraceOption{otelhttptrace.WithRedactedHeaders("apiKey", "x-connection-id")}},
	} {
		spans := tracetest.NewInMemoryExporter()
		provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
		server := planted()
		address, err := server.Start() // headers are written to a socket
		if err != nil {
			t.Fatal(err)
		}
		client, err := newTracedClient(provider, plantedKey, api.WithConnection(plantedConnection), api.WithBaseURL(address))
		if err != nil {
			t.Fatal(err)
		}
		ctx, span := provider.Tracer("test").Start(t.Context(), "request")
		ctx = httptrace.WithClientTrace(ctx, otelhttptrace.NewClientTrace(ctx, c.opts...))
		if _, err := client.Unsend(ctx, "5", "6"); err != nil {
			t.Fatal(err)
		}
		span.End()
		_ = server.Close()
		text, err := json.Marshal(spans.GetSpans())
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{plantedKey, plantedConnection} {
			if got := strings.Contains(string(text), secret); got != c.shown {
				t.Errorf("%s: the spans contain %s: %t, want %t", name, secret, got, c.shown)
			}
		}
	}
}
