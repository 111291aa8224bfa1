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
		end, ascii := d.scan(d.pos)
		part := d.raw[d.pos:end]
		d.strings.Write(part)
		d.pos = end
		if !ascii && !utf8.Valid(part) {
			d.decline()
		}
		switch d.peek() {
		case '"':
			d.pos++
			return d.strings.String()[start:]
		case '\\':
			d.pos++
			d.strings.WriteRune(d.escape())
		default:
			d.decline()
			return ""
		}
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

// scan returns the end of the part of a string that starts at i: where the closing quote, a
// backslash or a control character is, or the text ends.
func (d *decoder) scan(i int) (end int, ascii bool) {
	const (
		each = 0x0101010101010101 // times a byte: eight of it
		top  = 0x80 * each
	)
	var seen uint64
	for ; i+8 <= len(d.raw); i += 8 {
		eight := binary.LittleEndian.Uint64(d.raw[i:])
		quote, backslash := eight^'"'*each, eight^'\\'*each
		// A byte minus n borrows into its top bit where it is below n: 1 finds zeros. Only
		// what stands above the first hit may be wrong.
		hits := (quote-each)&^quote | (backslash-each)&^backslash | (eight-' '*each)&^eight
		if hits &= top; hits != 0 {
			bit := bits.TrailingZeros64(hits) &^ 7
			seen |= eight & (1<<bit - 1)
			return i + bit/8, seen&top == 0
		}
		seen |= eight
	}
	for ; i < len(d.raw); i++ {
		c := d.raw[i]
		if c == '"' || c == '\\' || c < ' ' {
			break
		}
		seen |= uint64(c)
	}
	return i, seen&top == 0 && seen&0x80 == 0
}
