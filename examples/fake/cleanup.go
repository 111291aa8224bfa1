// Package fake is a part of somebody's program, and the test of it with a fake of their own in place
// of [api.Client]: errors made by hand mean what those of the service mean.
package fake

import (
	"context"
	"errors"
	"fmt"

	"github.com/unsend-go/unsend/api"
)

// Unsender is what Cleanup needs of an [api.Client].
type Unsender interface {
	Unsend(ctx context.Context, userID, messageID string, opts ...api.CallOption) (*api.Result, error)
}

// Cleanup unsends the messages of a chat. It skips those that are gone or that the service refuses,
// and stops at an error that concerns more than one message.
func Cleanup(ctx context.Context, client Unsender, userID string, messageIDs []string) (unsent int, err error) {
	for _, id := range messageIDs {
		_, err := client.Unsend(ctx, userID, id)
		switch {
		case err == nil:
			unsent++
		case errors.Is(err, api.ErrNotFound), errors.Is(err, api.ErrBadRequest), errors.Is(err, api.ErrRefused):
		default:
			return unsent, fmt.Errorf("stopped at message %s: %w", id, err)
		}
	}
	return unsent, nil
}
