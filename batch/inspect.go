package batch

import (
	"errors"
	"hash/maphash"
	"iter"
)

// maxListed is how many bad rows Inspect keeps.
const maxListed = 100

// Input is what one reading of the items found.
type Input struct {
	Shard       Shard
	Messages    int    // different ones, of the shard
	Repeated    int    // rows of the shard that repeat an earlier one
	Connections []Load // of the shard, in the order in which they are named first
	Fingerprint string // of the good items of all shards, in their order

	Bad     int     // rows that are no items
	BadRows []error // the first hundred of them, each a *LineError
	Err     error   // matches ErrInput where reading could not go on; it is not among BadRows
}

// Load is how many messages are to be taken back on one connection.
type Load struct {
	ID       string
	Messages int
}

// Inspect reads all items once, before anything is sent: it finds the bad ones, and what the
// good ones of the shard ask for. While it reads, it holds about 16 bytes for each row.
func Inspect(items iter.Seq2[Item, error], shard Shard) Input {
	in := Input{Shard: shard}
	prints := newFingerprint()
	seen := newHashSet()
	lanes := map[string]int{}
	for item, err := range items {
		if err != nil {
			in.bad(err)
			continue
		}
		prints.add(item)
		if !shard.Has(item.ConnectionID) {
			continue
		}
		if !seen.add(identityHash(seen.seed, item)) {
			in.Repeated++
			continue
		}
		n, ok := lanes[item.ConnectionID]
		if !ok {
			n = len(in.Connections)
			id := string([]byte(item.ConnectionID)) // the item's own holds its whole line
			lanes[id] = n
			in.Connections = append(in.Connections, Load{ID: id})
		}
		in.Connections[n].Messages++
		in.Messages++
	}
	in.Fingerprint = prints.String()
	return in
}

func (in *Input) bad(err error) {
	if errors.Is(err, ErrInput) {
		in.Err = err
		return
	}
	in.Bad++
	if len(in.BadRows) < maxListed {
		in.BadRows = append(in.BadRows, err)
	}
}

// identityHash is of what makes two items the same message.
func identityHash(seed maphash.Seed, item Item) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, id := range [...]string{item.ConnectionID, item.UserID, item.MessageID} {
		_, _ = h.WriteString(id) // never fails
		_ = h.WriteByte(0)
	}
	return h.Sum64()
}
