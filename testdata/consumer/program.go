// Package consumer is a program of someone else's: it uses what README.md names.
package consumer

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/contract"
)

// Client is one that is watched, paced and logged.
func Client(key string, next http.RoundTripper, report func([]contract.Violation)) (*api.Client, error) {
	return api.New(key,
		api.WithConnection("conn_demo"),
		api.WithRateLimit(60, 1),
		api.WithLogger(slog.New(slog.DiscardHandler)),
		api.WithHTTPClient(&http.Client{Transport: contract.Transport(next, report)}))
}

// TakeBack says what became of a message, whose snapshot it weighs.
func TakeBack(ctx context.Context, client *api.Client, userID, messageID string) (says string, weight int) {
	result, err := client.Unsend(ctx, userID, messageID, api.OnConnection("conn_demo"))
	if err != nil {
		return Explain(err), 0
	}
	if queue, err := result.Queue(); err != nil || queue == nil {
		return result.Outcome.String(), 0
	}
	switch result.Outcome {
	case api.Unsent:
		return "unsent", len(result.Raw)
	case api.AlreadyGone:
		return "gone", len(result.Raw)
	}
	return "unknown", 0
}

// Explain says of which kind an error is, and what goes with it.
func Explain(err error) string {
	kind := "another"
	for _, known := range []error{
		api.ErrConfig, api.ErrInvalidID, api.ErrSessionExpired, api.ErrUnauthorized, api.ErrForbidden,
		api.ErrNotFound, api.ErrRateLimited, api.ErrServer, api.ErrRefused, api.ErrUnexpectedResponse,
	} {
		if errors.Is(err, known) {
			kind = known.Error()
			break
		}
	}
	failure, ok := errors.AsType[*api.Error](err)
	switch {
	case !ok:
		return kind
	case failure.RetryAfter > 0:
		return kind + ": wait " + failure.RetryAfter.String()
	case failure.MaybeUnsent:
		return kind + ": perhaps unsent: " + string(failure.Body())
	}
	return kind + ": " + failure.Type + failure.ActionRequired
}

// TakeBackAll counts how the messages of a list ended in this run of a ledger, and how many of
// them are unsent in all. It sends nothing where a row is bad.
func TakeBackAll(ctx context.Context, client *api.Client, list, path string) (ended map[batch.Outcome]int, unsent int, err error) {
	ledger, err := batch.Open(path, batch.ForService(client), batch.DefaultConnection("conn_demo"))
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, ledger.Close()) }()
	_, err = ledger.Add(ctx, batch.Read(strings.NewReader(list), batch.Auto))
	if input, ok := errors.AsType[*batch.InputError](err); ok {
		return nil, input.Rows, err
	}
	if err != nil {
		return nil, 0, err
	}
	ended = map[batch.Outcome]int{}
	for result := range batch.Run(ctx, client, ledger, batch.Options{}) {
		ended[result.Outcome]++
	}
	report, err := ledger.Report(ctx)
	return ended, report.Unsent, err
}
