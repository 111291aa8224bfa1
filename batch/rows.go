package batch

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
)

// rows holds what is known of each message, packed into chunks of bytes that the garbage
// collector need not look into:
//
//	state    1 byte   how far it came, see state
//	failure  1 byte   of a failed one, its place in the list of failures
//	line     4 bytes  where it stands in the input
//	next     4 bytes  the row that is sent after it on its connection
//	ids      connection (1 to 3 bytes), user and message (see packID), and with-user (1 byte
//	         unless it is another than the user)
//
// which is some 24 bytes where ids are numbers as the service gives them. A table of 4-byte
// references to rows, at most half full, finds the one of a message; it compares ids, not
// hashes, so that messages whose hashes collide stay two messages.
type rows struct {
	seed   maphash.Seed
	table  []ref // plus 1; 0 is an empty slot
	count  int
	chunks [][]byte
	live   []int32 // how many rows of a chunk have not ended
	fixed  bool    // no more rows come, so that chunks without live ones can go

	connections intern[string]
	failures    intern[failure]
	packed      []byte // of the item looked up last
	idEnd       int    // in packed, the end of what makes it the same message as another
}

// ref is where a row starts: a chunk, and a place in it.
type ref uint32

const (
	placeBits = 18 // chunks of 256 KiB
	chunkSize = 1 << placeBits
	maxChunks = 1<<(32-placeBits) - 1

	atFailure = 1
	atLine    = 2
	atNext    = 6
	atIDs     = 10
)

// state is what a run needs to know of a row, in one byte.
type state uint8

const (
	outcomeBits state = 7 // index into outcomes
	final       state = 1 << (iota + 2)
	maybe             // may have been unsent, though it is not known to be gone
	seen              // the input of this run has it
	repeated          // there are later rows of the same message
	earlier           // ended in an earlier run
)

func (s state) outcome() Outcome {
	return [...]Outcome{"", Unsent, AlreadyGone, Failed, Skipped, "", "", ""}[s&outcomeBits]
}

func (s state) with(o Outcome) state {
	s &^= outcomeBits
	switch o {
	case Unsent:
		return s | 1
	case AlreadyGone:
		return s | 2
	case Failed:
		return s | 3
	case Skipped:
		return s | 4
	}
	return s
}

func newRows() *rows {
	r := &rows{seed: maphash.MakeSeed(), table: make([]ref, 1<<10)}
	r.failures.of(failure{}) // a new row's
	return r
}

// find looks the item up by its connection, user and message.
func (r *rows) find(item Item) (ref, bool) {
	r.packed = binary.AppendUvarint(r.packed[:0], uint64(r.connections.of(item.ConnectionID)))
	r.packed = packID(r.packed, item.UserID)
	r.packed = packID(r.packed, item.MessageID)
	r.idEnd = len(r.packed)
	if item.WithUserID == item.UserID {
		r.packed = append(r.packed, packedSame)
	} else {
		r.packed = packID(r.packed, item.WithUserID)
	}
	slot := r.slot(r.packed[:r.idEnd])
	if r.table[slot] == 0 {
		return 0, false
	}
	return r.table[slot] - 1, true
}

// add keeps the item that find looked up last, in the place of a row of the same message if
// there is one. It fails where no more rows can be held, at some 4 GiB.
func (r *rows) add(line int, s state) (ref, bool) {
	size := atIDs + len(r.packed)
	last := len(r.chunks) - 1
	if last < 0 || len(r.chunks[last])+size > chunkSize {
		if len(r.chunks) == maxChunks {
			return 0, false
		}
		r.chunks = append(r.chunks, make([]byte, 0, chunkSize))
		r.live = append(r.live, 0)
		last++
	}
	chunk := r.chunks[last]
	at := ref(last)<<placeBits | ref(len(chunk)) //nolint:gosec // bounded by maxChunks and chunkSize
	chunk = append(chunk, byte(s), 0)
	chunk = binary.LittleEndian.AppendUint32(chunk, uint32(line)) //nolint:gosec // a line past 4 billion is told modulo
	chunk = binary.LittleEndian.AppendUint32(chunk, 0)
	r.chunks[last] = append(chunk, r.packed...)
	r.live[last]++

	slot := r.slot(r.packed[:r.idEnd])
	if r.table[slot] == 0 {
		r.count++
	}
	r.table[slot] = at + 1
	if 2*r.count > len(r.table) {
		r.grow()
	}
	return at, true
}

// slot returns the slot of a message, or the empty one where it belongs.
func (r *rows) slot(ids []byte) uint64 {
	mask := uint64(len(r.table) - 1) //nolint:gosec // it has at least one
	at := maphash.Bytes(r.seed, ids) & mask
	for r.table[at] != 0 && !bytes.Equal(ids, r.ids(r.table[at]-1)) {
		at = (at + 1) & mask
	}
	return at
}

func (r *rows) grow() {
	old := r.table
	r.table = make([]ref, 2*len(old))
	mask := uint64(len(r.table) - 1) //nolint:gosec // it has at least one
	for _, row := range old {
		if row == 0 {
			continue
		}
		at := maphash.Bytes(r.seed, r.ids(row-1)) & mask
		for r.table[at] != 0 {
			at = (at + 1) & mask
		}
		r.table[at] = row
	}
}

func (r *rows) row(at ref) []byte { return r.chunks[at>>placeBits][at&(chunkSize-1):] }

// ids returns what makes a row the same message as another.
func (r *rows) ids(at ref) []byte {
	all := r.row(at)[atIDs:]
	_, n := binary.Uvarint(all)
	return all[:len(all)-len(skipID(skipID(all[n:])))]
}

func (r *rows) item(at ref) Item {
	row := r.row(at)
	item := Item{Line: int(binary.LittleEndian.Uint32(row[atLine:]))}
	connection, n := binary.Uvarint(row[atIDs:])
	item.ConnectionID = r.connections.list[connection]
	rest := row[atIDs+n:]
	item.UserID, rest = unpackID(rest, "")
	item.MessageID, rest = unpackID(rest, "")
	item.WithUserID, _ = unpackID(rest, item.UserID)
	return item
}

func (r *rows) connection(at ref) uint64 {
	n, _ := binary.Uvarint(r.row(at)[atIDs:])
	return n
}

func (r *rows) state(at ref) state       { return state(r.row(at)[0]) }
func (r *rows) setState(at ref, s state) { r.row(at)[0] = byte(s) }

func (r *rows) next(at ref) ref      { return ref(binary.LittleEndian.Uint32(r.row(at)[atNext:])) }
func (r *rows) setNext(at, next ref) { binary.LittleEndian.PutUint32(r.row(at)[atNext:], uint32(next)) }

func (r *rows) failure(at ref) failure       { return r.failures.list[r.row(at)[atFailure]] }
func (r *rows) setFailure(at ref, f failure) { r.row(at)[atFailure] = r.failures.of8(f) }

// fix lets rows go as they end, the table at once: from here on nothing is looked up.
func (r *rows) fix() {
	r.fixed, r.table = true, nil
	for i := range r.chunks {
		r.free(i)
	}
}

// ended says that a row is not asked for any more, unless it is looked up.
func (r *rows) ended(at ref) {
	r.live[at>>placeBits]--
	r.free(int(at >> placeBits))
}

func (r *rows) free(chunk int) {
	if r.fixed && r.live[chunk] == 0 {
		r.chunks[chunk] = nil
	}
}
