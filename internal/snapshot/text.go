package snapshot

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// str reads a string. It declines what encoding/json would replace by U+FFFD.
func (d *decoder) str() string {
	if d.peek() != '"' {
		d.decline()
		return ""
	}
	d.pos++
	start := d.strings.Len()
	for {
		end := d.scan(d.pos)
		d.strings.Write(d.raw[d.pos:end])
		d.pos = end
		switch c := d.peek(); {
		case c == '"':
			d.pos++
			return d.strings.String()[start:]
		case c == '\\':
			d.pos++
			d.strings.WriteRune(d.escape())
		case c >= utf8.RuneSelf:
			d.foreign()
		default:
			d.decline()
			return ""
		}
	}
}

// foreign reads characters beyond ASCII.
func (d *decoder) foreign() {
	end := d.pos
	for end < len(d.raw) && d.raw[end] >= utf8.RuneSelf {
		end++
	}
	characters := d.raw[d.pos:end]
	d.strings.Write(characters)
	d.pos = end
	if !utf8.Valid(characters) {
		d.decline()
	}
}

// escape reads what follows a backslash.
func (d *decoder) escape() rune {
	c := d.peek()
	d.pos = min(d.pos+1, len(d.raw))
	switch c {
	case '"', '\\', '/':
		return rune(c)
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'u':
		r := d.hex()
		if !utf16.IsSurrogate(r) {
			return r
		}
		if d.literal(`\u`); !d.declined {
			if r = utf16.DecodeRune(r, d.hex()); r != utf8.RuneError {
				return r
			}
		}
	}
	d.decline()
	return 0
}

// hex reads the four digits of \u. Where there are fewer the text ends, the string does not.
func (d *decoder) hex() rune {
	end := min(d.pos+4, len(d.raw))
	r, err := strconv.ParseUint(string(d.raw[d.pos:end]), 16, 16)
	if err != nil {
		d.decline()
		return 0
	}
	d.pos = end
	return rune(r)
}

// scan returns where, from i on, the first byte is that cannot stand in a string as it is and
// in ASCII: a quote, a backslash, a control character or part of a foreign one.
func (d *decoder) scan(i int) int {
	const (
		each = 0x0101010101010101 // times a byte: eight of it
		top  = 0x80 * each
	)
	for ; i+8 <= len(d.raw); i += 8 {
		eight := binary.LittleEndian.Uint64(d.raw[i : i+8])
		// A byte of ASCII minus n has its top bit set where it was below n: where it was zero,
		// for 1. So has a foreign one in one term at least. What stands above the first hit may
		// have lost a borrow to it.
		hits := ((eight ^ '"'*each) - each) | ((eight ^ '\\'*each) - each) | (eight - ' '*each)
		if hits &= top; hits != 0 {
			return i + bits.TrailingZeros64(hits)/8
		}
	}
	for i < len(d.raw) && d.raw[i] >= ' ' && d.raw[i] < utf8.RuneSelf && d.raw[i] != '"' && d.raw[i] != '\\' {
		i++
	}
	return i
}
