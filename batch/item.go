package batch

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch/internal/cell"
)

// maxRef is the longest [Item].Ref, in bytes.
const maxRef = 200

// Item is a message to unsend. It is identified by its connection, user and message ids:
// duplicates are sent once.
type Item struct {
	UserID       string // the chat's user
	MessageID    string
	ConnectionID string // the creator's connection that acts; empty for the ledger's [DefaultConnection]
	WithUserID   string // of the request's body; empty for UserID
	Ref          string // the caller's own key: at most 200 bytes of UTF-8, stored and yielded as it is
	MaybeUnsent  bool   // an earlier run may have unsent it: the input's column maybe_unsent
	Line         int    // the item's line in its input, from 1; 0 if there is none
}

// check returns an error that names the member that cannot be used.
func (i Item) check() error {
	for _, id := range []struct {
		name, text string
		optional   bool
	}{
		{"user_id", i.UserID, false},
		{"message_id", i.MessageID, false},
		{"connection_id", i.ConnectionID, true},
		{"with_user_id", i.WithUserID, true},
	} {
		if id.text == "" && id.optional {
			continue
		}
		if err := cell.Check(id.text); err != nil {
			return fmt.Errorf("%w: %s %w", api.ErrInvalidID, id.name, err)
		}
	}
	switch {
	case len(i.Ref) > maxRef:
		return fmt.Errorf("ref has %d bytes: shorten it to %d at most", len(i.Ref), maxRef)
	case !utf8.ValidString(i.Ref), strings.ContainsRune(i.Ref, 0):
		return errors.New("ref is not UTF-8 text: save the list as UTF-8")
	}
	return nil
}

// Outcome is how a message ended: that of [api], Failed or Skipped.
type Outcome = api.Outcome

// Outcomes. The zero value is a message that has not ended.
const (
	Unsent              = api.Unsent      // the service said that it took the message back
	AlreadyGone         = api.AlreadyGone // an earlier request may have taken it back, and it is gone
	Failed      Outcome = "failed"        // Result.Err says why
	Skipped     Outcome = "skipped"       // not sent: its connection was stopped, as Result.Err says
)

// Result is how one message ended.
type Result struct {
	Item    Item
	Outcome Outcome // empty, of [Ledger.Messages] only, for a message that is still to be sent

	// Final messages have ended for good, and are never sent again. Unsent and AlreadyGone
	// are; Failed is where the service itself refused this message and nothing of it is
	// ambiguous. Everything else is sent again by the next run.
	Final bool
	// MaybeUnsent is true of a message that is not known to be gone, but may be.
	MaybeUnsent bool

	Attempts  int         // requests: of this run, or of all runs in what [Ledger.Messages] yields
	RequestID string      // names the last request to the vendor's support
	Response  *api.Result // the client's answer; nil where there was no good one, and from Messages

	// Err is nil for Unsent and AlreadyGone. Of a Failed message it is an [*api.Error], whose
	// Attempts and MaybeUnsent are of all that this run sent for it. Of a Skipped one it is
	// what stopped its connection. From Messages it is an *api.Error made of what the ledger
	// keeps of it.
	Err error
	// Hint is one line that says what to do about Err, or empty.
	Hint string
}
