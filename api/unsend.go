package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/unsend-go/unsend/gen"
	"github.com/unsend-go/unsend/internal/ratelimit"
	"github.com/unsend-go/unsend/internal/transport"
)

// Unsend unsends the message messageID of the chat with the user userID. It returns a [Result]
// if the message is known to be gone, and an [*Error] otherwise. Invalid arguments are an
// [ErrConfig] or [ErrInvalidID], and nothing is sent. Transient errors are retried and requests
// are rate limited as the package documentation describes.
func (c *Client) Unsend(ctx context.Context, userID, messageID string, opts ...CallOption) (*Result, error) {
	o, err := c.prepare(ctx, userID, messageID, opts)
	if err != nil {
		return nil, err
	}
	a, failure := o.run(ctx)
	if failure != nil && (a == nil || !a.gone) {
		return nil, failure
	}
	return o.succeed(ctx, a, failure), nil
}

// operation is one call of Unsend, or a request of [Client.HTTPClient].
type operation struct {
	*Client
	call    call
	request *http.Request // of HTTPClient; nil for Unsend, which makes one for each attempt

	userID, messageID string
	body              gen.UnsendRequest
	started           time.Time

	key         string // of the current attempt
	attempts    int    // so far
	maybeUnsent bool   // an attempt so far, or a call before this one, may have unsent the message
}

// prepare checks all arguments of a call.
func (c *Client) prepare(ctx context.Context, userID, messageID string, opts []CallOption) (*operation, error) {
	switch {
	case c == nil || c.guard == nil:
		return nil, errNoClient
	case ctx == nil:
		return nil, configError("context is nil; use context.Background()")
	}
	o := &operation{Client: c, userID: userID, messageID: messageID, started: time.Now()}
	o.call = call{settings: c.settings, withUserID: userID}
	for i, opt := range opts {
		if opt == nil {
			return nil, configError("call option %d is nil; leave it out", i+1)
		}
		if err := opt.toCall(&o.call); err != nil {
			return nil, err
		}
	}
	if o.call.connection == "" {
		return nil, configError("no connection; use WithConnection or OFAUTH_CONNECTION_ID")
	}
	if err := checkID("user id", userID); err != nil {
		return nil, err
	}
	if err := checkID("message id", messageID); err != nil {
		return nil, err
	}
	o.maybeUnsent = o.call.maybeUnsent
	o.body.WithUserID = gen.String(o.call.withUserID)
	return o, nil
}

// redactor hides the keys of the client and of the attempt.
func (o *operation) redactor() redactor { return redactor{o.keys, &o.key} }

// run makes attempts until one succeeds or nothing is left to try. It returns the last attempt, unless
// the call ended before another.
func (o *operation) run(ctx context.Context) (*attempt, *Error) {
	var last *Error
	for {
		if err := o.begin(ctx, last); err != nil {
			return nil, o.fail(ctx, err)
		}
		a, err := o.attempt(ctx)
		if err == nil || a.gone {
			o.logAttempt(ctx, a, err, 0)
			return a, err
		}
		wait, more := o.nextDelay(ctx, err, o.attempts, o.call.retries)
		o.logAttempt(ctx, a, err, wait)
		if !more {
			return a, o.fail(ctx, err)
		}
		if limit := o.Delay(o.call.connection); !ratelimit.EndsInTime(ctx, limit) {
			return a, o.fail(ctx, notSent(ratelimit.TooLongError(limit), err))
		}
		_ = ratelimit.Sleep(ctx, o.call.stop, wait) // begin returns why it ended early
		last = err
	}
}

// begin waits for the connection's rate limit and gets the key. The error it returns ends the call.
func (o *operation) begin(ctx context.Context, last *Error) *Error {
	err := o.waitForToken(ctx, o.call.stop, o.call.connection)
	if err == nil && o.request == nil {
		if o.key, err = o.keys.key(ctx); err != nil {
			rate, _ := o.rateOf(o.call.connection)
			o.limiter.GiveBack(o.call.connection, rate)
		}
	}
	if err == nil {
		return nil
	}
	return notSent(err, last)
}

// notSent makes the error of a request that was not sent; last is that of the attempt before.
func notSent(err error, last *Error) *Error {
	tooLong, limited := errors.AsType[ratelimit.TooLongError](err)
	switch {
	case limited:
		e := &Error{Message: err.Error(), RetryAfter: time.Duration(tooLong), Scope: ScopeService, Err: ErrRateLimited}
		if last != nil {
			e.Message = line(e.Message+"; the attempt before: "+last.summary(maxErrorText), maxErrorText)
		}
		return e
	case errors.Is(err, ErrConfig):
		return &Error{Message: err.Error(), Scope: ScopeClient, Err: err}
	case last == nil:
		last = &Error{Message: err.Error()}
	}
	return last.endedBy(err)
}

// attempt sends once, and classifies the response. The error is nil if the message was unsent, or for a
// 2xx of HTTPClient.
func (o *operation) attempt(ctx context.Context) (*attempt, *Error) {
	o.attempts++
	limit := min(o.call.timeout, o.http.Timeout)
	ctx, cancel := context.WithTimeout(ctx, limit)
	a := o.send(ctx, limit)
	if o.request != nil && a.status/100 == 2 {
		a.resp.Body = &boundedBody{http.MaxBytesReader(nil, a.resp.Body, transport.MaxBody), cancel, o.redactor()}
		return a, nil
	}
	defer cancel()
	if a.resp != nil {
		body := a.resp.Body
		defer func() { _ = body.Close() }()
		if a.status >= 400 {
			defer o.errorTurn(ctx)()
		}
		if o.request == nil {
			a.read()
		} else {
			a.handOn(o.request)
		}
	}
	if a.success {
		return a, nil
	}
	err := describe(a, o.redactor())
	if o.request != nil && isSafe(o.request) {
		return a, err // nothing can have been unsent
	}
	o.maybeUnsent = o.maybeUnsent || a.ending.SentTwice
	m := classify(facts{err, o.maybeUnsent})
	a.gone, a.maybe = m.ambiguous == alreadyGone, m.ambiguous == maybeUnsent || a.ending.SentTwice
	o.maybeUnsent = o.maybeUnsent || a.maybe
	return a, err
}

func (o *operation) fail(ctx context.Context, err *Error) *Error {
	err.Attempts = o.attempts
	err.MaybeUnsent = o.maybeUnsent
	err.other = o.request != nil
	o.logFailure(ctx, err)
	return err
}

// succeed reports a message that is gone. The error is that of the response of one that is
// already gone.
func (o *operation) succeed(ctx context.Context, a *attempt, err *Error) *Result {
	result := &Result{
		Outcome:   Unsent,
		RequestID: o.redactor().redact(a.header.Get(requestIDHeader)),
		RateLimit: parseRateLimit(a.header, time.Now()),
		Attempts:  o.attempts,
		Raw:       a.body,
		broken:    redactError(a.err, o.redactor()),
	}
	if err != nil {
		result.Outcome, result.RequestID, result.Header = AlreadyGone, err.RequestID, err.Header
	} else {
		result.Header = keepHeader(a.header, a.ownHeader, o.redactor())
	}
	o.logSuccess(ctx, result)
	return result
}
