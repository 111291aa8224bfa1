package batch

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// Shard is one of several parts of an input, for one of several machines. An item belongs to
// the shard Index where the 64-bit FNV-1a hash of its connection's id leaves that remainder
// on division by Of: so no two machines share a connection, and all of them together have
// every item once. The zero value is the whole input.
type Shard struct {
	Index int // from 0
	Of    int // how many shards there are
}

// ParseShard reads "I/N", of which the first is 0/N and the last N-1/N. The empty text is the
// whole input.
func ParseShard(text string) (Shard, error) {
	if text == "" {
		return Shard{}, nil
	}
	index, of, _ := strings.Cut(text, "/")
	i, err := strconv.ParseUint(index, 10, 31)
	n, err2 := strconv.ParseUint(of, 10, 31)
	if err != nil || err2 != nil || n == 0 {
		return Shard{}, fmt.Errorf("shard %q is not of the form I/N; want 0/4, say, for the first of four", cut(text))
	}
	s := Shard{Index: int(i), Of: int(n)}
	return s, s.check()
}

// String returns "I/N", or "" for the whole input.
func (s Shard) String() string {
	if s.Of == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.Index, s.Of)
}

// Has says whether the items of a connection belong to the shard.
func (s Shard) Has(connectionID string) bool {
	if s.Of <= 1 {
		return true
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(connectionID))             // never fails
	return h.Sum64()%uint64(s.Of) == uint64(s.Index) //nolint:gosec // check has seen to it that neither is negative
}

func (s Shard) check() error {
	if s == (Shard{}) || s.Index >= 0 && s.Index < s.Of {
		return nil
	}
	if s.Of < 1 {
		return fmt.Errorf("shard %d/%d has no shards to be of; want 0/4, say, for the first of four", s.Index, s.Of)
	}
	return fmt.Errorf("shard %d/%d is out of range; the first is 0/%d, the last %d/%d", s.Index, s.Of, s.Of, s.Of-1, s.Of)
}
