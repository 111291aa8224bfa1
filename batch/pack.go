package batch

import (
	"encoding/binary"
	"strconv"
)

// Ids are kept packed: a number of up to 18 digits as a varint (a message id of 13 digits in
// 7 bytes), anything else in six bits a character, since an id has one of 64 characters. The
// packed form says where it ends, and two ids are equal where their packed forms are.

const (
	packedNumber = iota // the other bits of the varint are the number
	packedText          // the other bits of the varint are the length, the characters follow
	packedSame          // the id is another one's
	packedBits   = 2
)

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz-"

func packID(dst []byte, id string) []byte {
	if n, ok := plainNumber(id); ok {
		return binary.AppendUvarint(dst, n<<packedBits) // that is, packedNumber
	}
	dst = binary.AppendUvarint(dst, uint64(len(id))<<packedBits|packedText)
	var bits uint32
	held := 0
	for i := range len(id) {
		bits = bits<<6 | uint32(sixBits(id[i]))
		for held += 6; held >= 8; {
			held -= 8
			dst = append(dst, byte(bits>>held)) //nolint:gosec // the lowest eight are due
		}
	}
	if held > 0 {
		dst = append(dst, byte(bits<<(8-held))) //nolint:gosec // the lowest eight are due
	}
	return dst
}

// unpackID returns the id at the start of src, and what follows it. same is the id that
// packedSame stands for.
func unpackID(src []byte, same string) (id string, rest []byte) {
	head, n := binary.Uvarint(src)
	src = src[n:]
	switch head & (1<<packedBits - 1) {
	case packedNumber:
		return strconv.FormatUint(head>>packedBits, 10), src
	case packedSame:
		return same, src
	}
	var text [64]byte
	out := text[:0]
	length := int(head >> packedBits)
	var bits uint32
	held, at := 0, 0
	for len(out) < length {
		if held < 6 {
			bits = bits<<8 | uint32(src[at])
			at++
			held += 8
		}
		held -= 6
		out = append(out, alphabet[bits>>held&63])
	}
	return string(out), src[packedSize(length):]
}

// skipID returns what follows the packed id at the start of src.
func skipID(src []byte) []byte {
	head, n := binary.Uvarint(src)
	if head&(1<<packedBits-1) == packedText {
		n += packedSize(int(head >> packedBits))
	}
	return src[n:]
}

func packedSize(length int) int { return (6*length + 7) / 8 }

// plainNumber reads a number in its one form: without a sign or leading zeros.
func plainNumber(id string) (uint64, bool) {
	if id == "" || len(id) > 18 || id[0] == '0' && len(id) > 1 {
		return 0, false
	}
	var n uint64
	for i := range len(id) {
		if id[i] < '0' || id[i] > '9' {
			return 0, false
		}
		n = 10*n + uint64(id[i]-'0')
	}
	return n, true
}

// sixBits returns the place of c in the alphabet.
func sixBits(c byte) byte {
	switch {
	case c <= '-':
		return 63
	case c <= '9':
		return c - '0'
	case c <= 'Z':
		return c - 'A' + 10
	case c == '_':
		return 36
	}
	return c - 'a' + 37
}
