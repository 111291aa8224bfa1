package batch

import "hash/maphash"

// hashSet counts different hashes, in 8 bytes each at up to half load. Two messages of one
// hash would make a plan's count one too low, once in some thirty million inputs of a
// million rows; what is sent does not go by it.
type hashSet struct {
	seed  maphash.Seed
	slots []uint64 // 0 is empty
	used  int
}

func newHashSet() *hashSet { return &hashSet{seed: maphash.MakeSeed(), slots: make([]uint64, 1<<10)} }

// add reports whether the hash is new.
func (s *hashSet) add(hash uint64) bool {
	hash |= 1 // not the empty slot
	if 2*s.used >= len(s.slots) {
		old := s.slots
		s.slots = make([]uint64, 2*len(old))
		for _, h := range old {
			if h != 0 {
				s.slots[s.find(h)] = h
			}
		}
	}
	at := s.find(hash)
	if s.slots[at] == hash {
		return false
	}
	s.slots[at] = hash
	s.used++
	return true
}

// find returns the slot of the hash, or the empty one where it belongs.
func (s *hashSet) find(hash uint64) uint64 {
	mask := uint64(len(s.slots) - 1) //nolint:gosec // it has at least one
	at := hash >> 1 & mask
	for s.slots[at] != 0 && s.slots[at] != hash {
		at = (at + 1) & mask
	}
	return at
}
