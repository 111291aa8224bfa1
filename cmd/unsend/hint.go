package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/unsend-go/unsend/api"
)

// hint says what to do about a call that failed.
func hint(err *api.Error) string {
	switch {
	case err.Type == "RULES_OUTDATED":
		return "the service is refreshing its signing rules; try again in a moment"
	case err.Type == "SESSION_NOT_PROVIDED":
		return "check the connection id, or connect the creator again"
	case errors.Is(err, api.ErrSessionExpired):
		return "connect the creator again"
	case errors.Is(err, api.ErrUnauthorized):
		return "check the API key"
	case errors.Is(err, api.ErrForbidden):
		return "give the key and the connection the permission messages:write"
	case err.Type == "RESOURCE_NOT_FOUND":
		return "there is no such message, or no longer; check the ids"
	case errors.Is(err, api.ErrNotFound), errors.Is(err, api.ErrUnexpectedResponse):
		return "check the base url"
	case errors.Is(err, api.ErrBadRequest):
		return "check the ids"
	case errors.Is(err, api.ErrRateLimited):
		return "try again " + after(err.RetryAfter)
	case errors.Is(err, api.ErrServer):
		return "try again " + after(err.RetryAfter) + "; if it stays, ask the vendor's support"
	case errors.Is(err, api.ErrRefused):
		return "the service did not unsend it"
	case err.StatusCode == 0:
		return "check the network and the base url"
	}
	return "ask the vendor's support"
}

// after is when to try again.
func after(wait time.Duration) string {
	if wait <= 0 {
		return "later"
	}
	return fmt.Sprintf("in %v", (wait + time.Second - 1).Truncate(time.Second))
}

// credentialsRefused says whether another key, connection or permission is what err asks for.
func credentialsRefused(err *api.Error) bool {
	return errors.Is(err, api.ErrForbidden) ||
		errors.Is(err, api.ErrUnauthorized) && err.Type != "RULES_OUTDATED"
}
