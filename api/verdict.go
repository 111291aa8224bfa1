package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/unsend-go/unsend/internal/wire"
)

// verdict is what one attempt means for its call.
type verdict struct {
	outcome Outcome // zero unless the message is known to be gone
	err     *Error  // nil where the outcome is Unsent
	retry   bool    // another attempt may end better
	maybe   bool    // this attempt may have unsent the message
}

// judge reads an attempt, given whether an earlier one may have unsent the message. The
// cases are the rows of the table in the package documentation.
func (c *Client) judge(a *attempt, maybe bool) verdict {
	if a.status == 0 {
		return verdict{err: c.lost(a), retry: !a.tls, maybe: !a.tls && !a.unwritten}
	}
	if a.status/100 == 2 {
		return c.judgeSuccess(a)
	}
	v := verdict{err: c.answered(a)}
	switch s := a.status; {
	case s == 404 && v.err.Type == "RESOURCE_NOT_FOUND" && maybe:
		v.outcome = AlreadyGone
	case s == 303, s == 501, s == 505:
		v.maybe = true
	case s == 408, s/100 == 5:
		v.retry, v.maybe = true, true
	case s == 429, s == 401 && v.err.Type == "RULES_OUTDATED":
		v.retry = true
	case s < 200, s > 599: // says nothing of the message
		v.maybe = true
	}
	return v
}

// judgeSuccess reads a 2xx, which is decided by the top-level success alone.
func (c *Client) judgeSuccess(a *attempt) verdict {
	success, ok := readSuccess(a.body)
	if success && ok {
		return verdict{outcome: Unsent}
	}
	err := c.answered(a)
	if ok {
		err.kind, err.Message = ErrRefused, joinDistinct("the service answered success: false", err.Message)
		return verdict{err: err}
	}
	err.kind = ErrUnexpectedResponse
	incomplete := a.err != nil && !errors.Is(a.err, wire.ErrTooLarge)
	switch {
	case incomplete:
		err.Message = "the answer ended before success could be read: " + a.err.Error()
	case a.err != nil:
		err.Message = "success cannot be found in the answer: " + a.err.Error()
	default:
		err.Message = joinDistinct("the answer does not say whether the message was unsent", err.Message)
	}
	return verdict{err: err, retry: incomplete, maybe: true}
}

// lost describes an attempt without an answer.
func (c *Client) lost(a *attempt) *Error {
	text := a.err.Error()
	if outer, ok := errors.AsType[*url.Error](a.err); ok {
		text = outer.Err.Error() // without the URL
	}
	if errors.Is(a.err, context.DeadlineExceeded) && a.took >= c.timeout {
		text = fmt.Sprintf("no answer within %v", c.timeout)
	}
	return &Error{Message: c.redact(text), cause: a.err}
}

// answered describes an attempt with an answer.
func (c *Client) answered(a *attempt) *Error {
	err := &Error{
		StatusCode: a.status,
		RequestID:  cut(c.redact(a.header.Get(requestIDHeader)), maxErrorBody),
		RetryAfter: a.retryAfter(),
		cause:      a.err,
	}
	err.describe(a.body, c.redact)
	switch {
	case a.status/100 == 3:
		err.Message = "the service answered with a redirect, which is never followed; check the base url"
	case a.status < 200, a.status > 599:
		err.kind = ErrUnexpectedResponse
	case err.Message == "" && a.status/100 != 2:
		err.Message = http.StatusText(a.status) + " (no text in the answer)"
	}
	return err
}
