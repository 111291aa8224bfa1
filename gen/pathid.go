package gen

import (
	"fmt"

	"github.com/unsend-go/unsend/internal/ids"
)

// PathID is an id that becomes a segment of a request's path. The generated request builders
// refuse one that could address another resource, such as "..", "a/b" or "". Convert a string to
// use it as a PathID, and a PathID to a string to get its value:
//
//	client.UnsendChatMessage(ctx, gen.PathID(userID), gen.PathID(messageID), body)
type PathID string

// MarshalText returns the id, or an error that does not quote it if it does not match the
// contract's pattern, 1 to 64 letters, digits, "_" and "-". Request builders call it before they
// build a URL.
func (id PathID) MarshalText() ([]byte, error) {
	if err := ids.Check(string(id)); err != nil {
		return nil, fmt.Errorf("id %w", err)
	}
	return []byte(id), nil
}

// String returns the id, or "(invalid id)" if MarshalText refuses it: what was passed by mistake
// may be a secret, and errors print ids.
func (id PathID) String() string {
	if ids.Check(string(id)) != nil {
		return "(invalid id)"
	}
	return string(id)
}
