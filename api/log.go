package api

import (
	"context"
	"log/slog"
	"time"
)

// The records of a call have ids, statuses and timings. They never have a credential, and of
// the service's texts only the error's type and the request id: a message's text could
// stand in any other.

// logAttempt records an attempt, and the wait until the next one (0 if there is none).
func (o *operation) logAttempt(ctx context.Context, a *attempt, e *Error, wait time.Duration) {
	if !o.log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	if e == nil {
		e = &Error{RequestID: o.redactor().redact(a.header.Get(requestIDHeader))}
	}
	o.record(ctx, slog.LevelDebug, "attempt", slog.Int("attempt", o.attempts), slog.Int("status", a.status), typeOf(e), requestOf(e.RequestID),
		slog.Bool("maybe_unsent", a.maybe), messageOf(e), slog.Duration("took", time.Since(a.started)), slog.Duration("wait", wait))
}

func (o *operation) logSuccess(ctx context.Context, r *Result) {
	o.record(ctx, slog.LevelDebug, string(r.Outcome), slog.Int("attempts", r.Attempts), requestOf(r.RequestID),
		slog.Duration("took", time.Since(o.started)))
}

func (o *operation) logFailure(ctx context.Context, e *Error) {
	o.record(ctx, slog.LevelWarn, "failed", slog.Int("attempts", e.Attempts), slog.Int("status", e.StatusCode), typeOf(e),
		requestOf(e.RequestID), slog.Bool("maybe_unsent", e.MaybeUnsent), slog.String("scope", e.Scope.String()), messageOf(e),
		slog.Duration("retry_after", e.RetryAfter), slog.Duration("took", time.Since(o.started)))
}

func typeOf(e *Error) slog.Attr { return slog.String("type", line(e.Type, 80)) }

func requestOf(id string) slog.Attr { return slog.String("request_id", line(id, 80)) }

// messageOf is why no response came. The text of a response is not logged.
func messageOf(e *Error) slog.Attr {
	if e.StatusCode != 0 || e.Message == "" {
		return slog.Attr{}
	}
	return slog.String("cause", line(e.Message, 200))
}

func (o *operation) record(ctx context.Context, level slog.Level, what string, attrs ...slog.Attr) {
	if o.request != nil || !o.log.Enabled(ctx, level) {
		return
	}
	o.log.LogAttrs(ctx, level, what, append([]slog.Attr{
		slog.String("operation", "unsendChatMessage"),
		// A key passes for an id: it may have been given in the place of one.
		slog.String("connection", o.redactor().redact(o.call.connection)),
		slog.String("user_id", o.redactor().redact(o.userID)),
		slog.String("message_id", o.redactor().redact(o.messageID)),
	}, attrs...)...)
}

// logWait returns what records a wait of more than a second for the rate limit; nil if it is not
// logged.
func (c *Client) logWait(ctx context.Context, connection string) func(time.Duration) {
	if !c.log.Enabled(ctx, slog.LevelDebug) {
		return nil
	}
	return func(wait time.Duration) {
		if wait > time.Second {
			c.log.LogAttrs(ctx, slog.LevelDebug, "rate limit",
				slog.String("connection", redactor{keys: c.keys}.redact(connection)), slog.Duration("wait", wait))
		}
	}
}
