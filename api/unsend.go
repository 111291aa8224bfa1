package api

import (
	"context"
	"errors"
	"time"

	"github.com/unsend-go/unsend/gen"
	"github.com/unsend-go/unsend/internal/ratelimit"
)

const (
	firstBackoff  = 500 * time.Millisecond
	maxBackoff    = 20 * time.Second
	maxRetryAfter = ratelimit.MaxHold
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
	call              call
	userID, messageID string
	body              gen.UnsendRequest
	started           time.Time

	attempts    int  // so far
	maybeUnsent bool // an attempt so far, or a call before this one, may have unsent the message
}

// prepare checks all that a call is made of.
func (c *Client) prepare(ctx context.Context, userID, messageID string, opts []CallOption) (*operation, error) {
	switch {
	case c == nil || c.generated == nil:
		return nil, configError("client is nil or was not made by New; make it with api.New")
	case ctx == nil:
		return nil, configError("context is nil; use context.Background()")
	}
	settings := call{settings: c.settings, withUserID: userID}
	for i, opt := range opts {
		if opt == nil {
			return nil, configError("call option %d is nil; leave it out", i+1)
		}
		if err := opt.toCall(&settings); err != nil {
			return nil, err
		}
	}
	if settings.connection == "" {
		return nil, configError("no connection; use WithConnection or OFAUTH_CONNECTION_ID")
	}
	if err := checkID("user id", userID); err != nil {
		return nil, err
	}
	if err := checkID("message id", messageID); err != nil {
		return nil, err
	}
	o := &operation{
		Client: c, call: settings, userID: userID, messageID: messageID,
		started: time.Now(), maybeUnsent: settings.maybeUnsent,
	}
	o.body.WithUserID = gen.String(settings.withUserID)
	return o, nil
}

// run attempts until the message is known to be gone or nothing is left to try.
func (o *operation) run(ctx context.Context) (*Result, error) {
	var last *Error
	for {
		if err := o.waitForToken(ctx, last); err != nil {
			return nil, o.fail(ctx, err)
		}
		a, m, err := o.attempt(ctx)
		wait, more := o.nextDelay(ctx, m, err)
		o.logAttempt(ctx, &a, m, err, wait)
		if err == nil || m.ambiguous == alreadyGone {
			return o.succeed(ctx, &a, err), nil
		}
		if !more {
			return nil, o.fail(ctx, err)
		}
		if ended := ratelimit.Sleep(ctx, o.call.stop, wait); ended != nil {
			return nil, o.fail(ctx, err.endedBy(ended))
		}
		last = err
	}
}

// waitForToken waits for the connection's pace. The error it returns ends the call.
func (o *operation) waitForToken(ctx context.Context, last *Error) *Error {
	err := o.ended(ctx)
	if err == nil && o.pace != nil {
		err = o.pace.Wait(ctx, o.call.stop, o.call.connection)
	}
	if err == nil {
		return nil
	}
	tooLong, ok := errors.AsType[ratelimit.TooLongError](err)
	if !ok {
		if last == nil {
			last = &Error{Message: err.Error()}
		}
		return last.endedBy(err)
	}
	limited := &Error{Message: err.Error(), RetryAfter: time.Duration(tooLong)}
	limited.mean(classify(&facts{tooLong: true}))
	if last != nil {
		limited.cause = last
	}
	return limited
}

// ended returns why no further attempt may begin; nil where one may.
func (o *operation) ended(ctx context.Context) error {
	select {
	case <-o.call.stop:
		return ErrStopped
	default:
		return ctx.Err()
	}
}

// attempt sends once, and learns from the answer. The error is nil where the message was unsent.
func (o *operation) attempt(ctx context.Context) (attempt, *meaning, *Error) {
	o.attempts++
	a := o.send(ctx)
	if o.pace != nil && a.answer {
		o.pace.Observe(o.call.connection, count(a.header.Get(remainingHeader)), parseRetryAfter(a.header, time.Now()))
	}
	if a.success {
		return a, nil, nil
	}
	o.maybeUnsent = o.maybeUnsent || a.sentTwice
	err := o.describe(&a)
	m := classify(a.facts(err, o.maybeUnsent))
	err.mean(m)
	o.maybeUnsent = o.maybeUnsent || m.ambiguous == maybeUnsent
	return a, m, err
}

// nextDelay reports whether to try again, and after what wait: as long as the answer asks, or
// else a random part of a ceiling that doubles with each attempt. A wait that is too long, or
// that cannot end before the context does, is left to the caller, in RetryAfter.
func (o *operation) nextDelay(ctx context.Context, m *meaning, err *Error) (wait time.Duration, ok bool) {
	if err == nil {
		return 0, false
	}
	retry := m.retried == again
	if ctx.Err() != nil && (retry || err.cause != nil) {
		// Transports return the cause of a cancellation, which need not be the context's error.
		_ = err.endedBy(ctx.Err())
		return 0, false
	}
	if !retry || o.attempts > o.call.retries || err.RetryAfter > maxRetryAfter {
		return 0, false
	}
	wait = err.RetryAfter
	if wait == 0 {
		wait = o.jitter(min(firstBackoff<<(o.attempts-1), maxBackoff))
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Add(wait).Before(deadline) {
		err.RetryAfter = wait
		return 0, false
	}
	return wait, true
}

func (o *operation) fail(ctx context.Context, err *Error) *Error {
	err.Attempts = o.attempts
	err.MaybeUnsent = o.maybeUnsent
	o.logFailure(ctx, err)
	return err
}

// succeed reports a message that is gone. The error is that of the answer of one that is
// already gone.
func (o *operation) succeed(ctx context.Context, a *attempt, err *Error) *Result {
	result := &Result{
		Outcome:   Unsent,
		RequestID: o.redact(a.header.Get(requestIDHeader)),
		RateLimit: parseRateLimit(a.header, time.Now()),
		Attempts:  o.attempts,
		Raw:       a.body,
		broken:    a.err,
	}
	if err != nil {
		result.Outcome, result.RequestID = AlreadyGone, err.RequestID
	}
	o.logSuccess(ctx, result)
	return result
}
