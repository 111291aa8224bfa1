package api

import (
	"context"
	"errors"
	"time"

	"github.com/unsend-go/unsend/gen"
	"github.com/unsend-go/unsend/internal/pace"
)

const (
	firstBackoff  = 500 * time.Millisecond
	maxBackoff    = 20 * time.Second
	maxRetryAfter = pace.MaxHold
)

// Unsend takes back the message messageID of the chat with the user userID. It returns a
// [Result] when the message is known to be gone, and else an [*Error]; what was refused
// before anything was sent is an [ErrConfig] or [ErrInvalidID] instead. Passing faults are
// retried, and requests paced, as the package documentation says.
func (c *Client) Unsend(ctx context.Context, userID, messageID string, opts ...CallOption) (*Result, error) {
	o, err := c.prepare(ctx, userID, messageID, opts)
	if err != nil {
		return nil, err
	}
	return o.run(ctx)
}

// operation is one call of Unsend.
type operation struct {
	*Client
	userID, messageID, connection string
	body                          gen.UnsendRequest
	started                       time.Time

	attempts int
	maybe    bool // an attempt of the call may have unsent the message
}

// prepare checks all that a call is made of.
func (c *Client) prepare(ctx context.Context, userID, messageID string, opts []CallOption) (*operation, error) {
	switch {
	case c == nil || c.generated == nil:
		return nil, configError("client is nil or was not made by New; make it with api.New")
	case ctx == nil:
		return nil, configError("context is nil; use context.Background()")
	}
	settings := call{connection: c.connection, withUserID: userID, retries: c.retries}
	for i, opt := range opts {
		if opt == nil {
			return nil, configError("call option %d is nil; leave it out", i+1)
		}
		if err := opt(&settings); err != nil {
			return nil, err
		}
	}
	if settings.connection == "" {
		return nil, configError("no connection; use WithConnection, OnConnection or OFAUTH_CONNECTION_ID")
	}
	if err := checkID("user id", userID); err != nil {
		return nil, err
	}
	if err := checkID("message id", messageID); err != nil {
		return nil, err
	}
	o := &operation{Client: c, userID: userID, messageID: messageID, connection: settings.connection, started: time.Now()}
	if err := o.body.WithUserID.FromUserIDString(settings.withUserID); err != nil {
		return nil, configError("with-user id: %v", err)
	}
	return o, nil
}

// run attempts until the message is known to be gone or nothing is left to try.
func (o *operation) run(ctx context.Context) (*Result, error) {
	var last *Error
	for {
		if err := o.turn(ctx, last); err != nil {
			return nil, o.fail(ctx, err)
		}
		a, v := o.attempt(ctx)
		wait, again := o.plan(ctx, v)
		o.logAttempt(ctx, &a, v, wait)
		if v.outcome != 0 {
			return o.succeed(ctx, &a, v), nil
		}
		if !again {
			return nil, o.fail(ctx, v.err)
		}
		if err := pace.Sleep(ctx, wait); err != nil {
			return nil, o.fail(ctx, v.err.because(err))
		}
		last = v.err
	}
}

// turn waits for the connection's bucket. The error it returns ends the call.
func (o *operation) turn(ctx context.Context, last *Error) *Error {
	err := ctx.Err()
	if err == nil && o.pace != nil {
		err = o.pace.Wait(ctx, o.connection)
	}
	if err == nil {
		return nil
	}
	refused, ok := errors.AsType[pace.TooLongError](err)
	if !ok {
		if last == nil {
			last = &Error{Message: err.Error()}
		}
		return last.because(err)
	}
	limited := &Error{Message: err.Error(), RetryAfter: time.Duration(refused), kind: ErrRateLimited}
	if last != nil {
		limited.cause = last
	}
	return limited
}

// attempt sends once, and learns from the answer.
func (o *operation) attempt(ctx context.Context) (attempt, verdict) {
	o.attempts++
	a := o.send(ctx, o.userID, o.messageID, o.body, o.connection)
	if o.pace != nil && a.status != 0 {
		o.pace.Observe(o.connection, count(a.header.Get(remainingHeader)), a.retryAfter())
	}
	v := o.judge(&a, o.maybe)
	o.maybe = o.maybe || v.maybe
	return a, v
}

// plan says whether to try again, and after what wait: as long as the answer asks, or else a
// random part of a ceiling that doubles with each attempt. A wait that is too long, or that
// cannot end before the context does, is left to the caller, in RetryAfter.
func (o *operation) plan(ctx context.Context, v verdict) (wait time.Duration, again bool) {
	if err := ctx.Err(); err != nil && v.err != nil && (v.retry || v.err.cause != nil) {
		// Transports return the cause of a cancellation, which need not be the context's error.
		_ = v.err.because(err)
		return 0, false
	}
	if !v.retry {
		return 0, false
	}
	if o.attempts > o.retries || v.err.RetryAfter > maxRetryAfter {
		return 0, false
	}
	wait = v.err.RetryAfter
	if wait == 0 {
		wait = o.jitter(min(firstBackoff<<(o.attempts-1), maxBackoff))
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Add(wait).Before(deadline) {
		v.err.RetryAfter = wait
		return 0, false
	}
	return wait, true
}

func (o *operation) fail(ctx context.Context, err *Error) *Error {
	err.Attempts = o.attempts
	err.MaybeUnsent = o.maybe
	o.logFailure(ctx, err)
	return err
}

func (o *operation) succeed(ctx context.Context, a *attempt, v verdict) *Result {
	result := &Result{
		Outcome:   v.outcome,
		RequestID: o.redact(a.header.Get(requestIDHeader)),
		RateLimit: parseRateLimit(a.header, time.Now()),
		Attempts:  o.attempts,
		Raw:       a.body,
		broken:    a.err,
	}
	if v.err != nil { // AlreadyGone, whose answer is an error's
		result.RequestID = v.err.RequestID
	}
	o.logSuccess(ctx, result)
	return result
}
