package batch

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
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
	Line         int    // the item's line in its input, from 1 to 2,147,483,647; 0 if there is none
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
	case i.Line < 0, i.Line > math.MaxInt32:
		return fmt.Errorf("the line is out of range: want 0 to %d", math.MaxInt32)
	case len(i.Ref) > maxRef:
		return fmt.Errorf("ref has %d bytes: shorten it to %d at most", len(i.Ref), maxRef)
	case !utf8.ValidString(i.Ref), strings.ContainsRune(i.Ref, 0):
		return errors.New("ref is not UTF-8 text, or has a NUL character: correct it")
	}
	return nil
}

// Outcome is an [api.Outcome], Failed or Skipped.
type Outcome = api.Outcome

// Outcomes. The zero value is that of a message that is still to be sent.
const (
	Unsent              = api.Unsent      // the service confirmed that it unsent the message
	AlreadyGone         = api.AlreadyGone // an earlier request may have unsent it, and it is gone
	Failed      Outcome = "failed"        // for the reason in Result.Err
	Skipped     Outcome = "skipped"       // not sent: its connection was stopped, for the reason in Result.Err
)

// Result is the outcome of one message.
type Result struct {
	Item    Item
	Outcome Outcome // empty, from [Ledger.Messages] only, for a message that is still to be sent

	// Final messages are never sent again. Unsent and AlreadyGone are final; Failed is if the
	// service itself refused this message and nothing of it is ambiguous.
	Final bool
	// MaybeUnsent is true of a message that is not known to be gone, but may be.
	MaybeUnsent bool

	Attempts  int         // requests: of this run, or of all runs from [Ledger.Messages]
	RequestID string      // identifies the last request to the vendor's support
	EndedAt   time.Time   // when it got its outcome; from Messages only
	Response  *api.Result // the client's result; nil if it returned an error, and from Messages

	// Err is nil for Unsent and AlreadyGone. For Failed it is an [*api.Error], whose Attempts
	// and MaybeUnsent are of all that this run sent for the message; for Skipped, what stopped
	// its connection. It has no body and no header. From Messages it is made of what the ledger
	// stores, and matches the same sentinels.
	Err error
	// Hint is one line on what to do about Err, or empty.
	Hint string
}
