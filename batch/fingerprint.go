package batch

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
)

// fingerprint tells one input from another by its items: what they are and their order, not
// how they are written. So the same items as CSV and as JSON lines are the same input, bad
// rows that were left out do not matter, and --connection does where it fills in.
type fingerprint struct {
	sum     hash.Hash
	pending []byte
}

func newFingerprint() *fingerprint { return &fingerprint{sum: sha256.New()} }

func (f *fingerprint) add(item Item) {
	for _, id := range [...]string{item.ConnectionID, item.UserID, item.MessageID, item.WithUserID} {
		f.pending = append(f.pending, id...)
		f.pending = append(f.pending, '\n') // which no id holds
	}
	if len(f.pending) >= 8<<10 {
		f.flush()
	}
}

func (f *fingerprint) flush() {
	_, _ = f.sum.Write(f.pending) // never fails
	f.pending = f.pending[:0]
}

// String returns 32 hexadecimal digits.
func (f *fingerprint) String() string {
	f.flush()
	return hex.EncodeToString(f.sum.Sum(nil)[:16])
}
