// Command otel unsends two messages and prints a trace of each: a span for the call, and below it
// one for every attempt, by OpenTelemetry's own middleware. It runs on the mock, without an account:
//
//	go run .
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "otel:", err)
		os.Exit(1)
	}
}

// run unsends two messages on a mock that fails once, and writes the spans to w.
func run(ctx context.Context, w io.Writer) (err error) {
	exporter, err := stdouttrace.New(stdouttrace.WithWriter(w), stdouttrace.WithPrettyPrint())
	if err != nil {
		return err
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
	defer func() {
		if stopped := provider.Shutdown(ctx); err == nil {
			err = stopped
		}
	}()

	server := mock.New()
	server.Next(mock.Fault{Status: http.StatusServiceUnavailable})
	client, err := newTracedClient(provider, mock.DemoKey, api.WithConnection(mock.DemoConnection), api.WithHTTPClient(server.Client()))
	if err != nil {
		return err
	}
	for _, message := range []string{"6432457811894", "6432457811895"} {
		if _, err := client.Unsend(ctx, "51234567", message); err != nil {
			return err
		}
	}
	return nil
}

// tracedClient is a client whose calls are spans.
type tracedClient struct {
	*api.Client

	tracer trace.Tracer
}

// newTracedClient makes every attempt a span of provider. Headers are not recorded, and nothing of
// the trace is sent to the service, which would not expect it. otelhttptrace records each header as
// it is written, the API key among them: see the README.
func newTracedClient(provider trace.TracerProvider, key string, opts ...api.Option) (*tracedClient, error) {
	traced := api.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
		return otelhttp.NewTransport(next,
			otelhttp.WithTracerProvider(provider),
			otelhttp.WithPropagators(propagation.NewCompositeTextMapPropagator()),
			otelhttp.WithSpanNameFormatter(func(string, *http.Request) string { return "unsend attempt" }),
		)
	})
	client, err := api.New(key, append(opts, traced)...)
	if err != nil {
		return nil, err
	}
	return &tracedClient{client, provider.Tracer("github.com/unsend-go/unsend/examples/otel")}, nil
}

// Unsend calls the client within a span, which contains the spans of the attempts.
func (c *tracedClient) Unsend(ctx context.Context, userID, messageID string, opts ...api.CallOption) (*api.Result, error) {
	ctx, span := c.tracer.Start(ctx, "unsend message", trace.WithAttributes(attribute.String("message.id", messageID)))
	defer span.End()
	result, err := c.Client.Unsend(ctx, userID, messageID, opts...)
	if err != nil {
		span.RecordError(err)
		span.SetStatus(codes.Error, "not unsent, or not known to be")
		return nil, err
	}
	span.SetAttributes(
		attribute.String("unsend.outcome", string(result.Outcome)),
		attribute.Int("unsend.attempts", result.Attempts),
	)
	return result, nil
}
