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

func planted() *mock.Server {
	return mock.New(mock.WithKeys(plantedKey), mock.WithConnections(mock.Connection{ID: plantedConnection}))
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

// TestSpans traces a call of two attempts, and one that fails. It looks for a planted key and connection
// in all that is exported, and for a trace in what the service gets.
func TestSpans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, spans := planted(), tracetest.NewInMemoryExporter()
		server.Next(mock.Fault{Status: http.StatusTooManyRequests, RetryAfter: "1"}, mock.Fault{}, mock.Fault{Status: http.StatusBadRequest})
		watch := &watcher{next: server.Client().Transport}
		client, err := newTracedClient(sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)), plantedKey,
			api.WithHTTPClient(&http.Client{Transport: watch}), api.WithConnection(plantedConnection))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Unsend(t.Context(), "5", "6"); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Unsend(t.Context(), "5", "7"); err == nil {
			t.Fatal("a 400 is no error")
		}
		got := spans.GetSpans()
		if len(got) != 5 || got[2].Name != "unsend message" || got[4].Name != "unsend message" {
			t.Fatalf("spans are %v, want two attempts, their call, an attempt and its call", got)
		}
		for i, want := range map[int]int64{0: http.StatusTooManyRequests, 1: http.StatusOK, 3: http.StatusBadRequest} {
			call := got[max(2, i+1)]
			if got[i].Name != "unsend attempt" || got[i].Parent.SpanID() != call.SpanContext.SpanID() {
				t.Errorf("%s %d is not below its call", got[i].Name, i)
			}
			if status := attributeOf(got[i], "http.response.status_code"); status != want {
				t.Errorf("attempt %d has the status %v, want %d", i, status, want)
			}
		}
		for name, want := range map[string]any{"unsend.attempts": int64(2), "unsend.outcome": "unsent"} {
			if value := attributeOf(got[2], name); value != want {
				t.Errorf("the call has the %s %v, want %v", name, value, want)
			}
		}
		if got[4].Status.Code != codes.Error || len(got[4].Events) != 1 {
			t.Errorf("the call that failed has the status %v and %d events, want an error and one", got[4].Status, len(got[4].Events))
		}
		for _, header := range watch.seen {
			if header.Get("apiKey") != plantedKey {
				t.Error("a request came without the key: this test would find nothing")
			}
			if header.Get("traceparent") != "" || header.Get("baggage") != "" {
				t.Errorf("the service got a trace: %v", header)
			}
		}
		text, err := json.Marshal(got)
		if err != nil || !strings.Contains(string(text), "/chats/5/messages/7") {
			t.Fatalf("the text of the spans lacks what they recorded: this test would find nothing (%v)", err)
		}
		for _, secret := range []string{plantedKey, plantedConnection} {
			if strings.Contains(string(text), secret) {
				t.Errorf("the spans hold %s", secret)
			}
		}
	})
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
