package batch

import (
	"fmt"

	"github.com/unsend-go/unsend/api"
)

// Item is one message to take back. Connection, user and message id say which message it is:
// rows with the same three are the same message, whatever else they say.
type Item struct {
	UserID       string // the chat's user
	MessageID    string
	ConnectionID string // the creator's connection that acts; empty for the ledger's [DefaultConnection]
	WithUserID   string // of the request's body; empty for UserID
	MaybeUnsent  bool   // an earlier run may have unsent it: the input's column maybe_unsent
	Line         int    // where the item stands in its input, from 1; 0 where nothing says so
}

// check says which id of the item is none.
func (i Item) check() error {
	for _, id := range []struct {
		name, text string
		optional   bool
	}{
		{columnUser, i.UserID, false},
		{columnMessage, i.MessageID, false},
		{columnConnection, i.ConnectionID, true},
		{columnWith, i.WithUserID, true},
	} {
		if id.text == "" && id.optional {
			continue
		}
		if err := checkID(id.text); err != nil {
			return fmt.Errorf("%w: %s %w", api.ErrInvalidID, id.name, err)
		}
	}
	return nil
}

// The members of an item, as columns of an input and as JSON.
const (
	columnUser        = "user_id"
	columnMessage     = "message_id"
	columnConnection  = "connection_id"
	columnWith        = "with_user_id"
	columnMaybeUnsent = "maybe_unsent"
)
