package snapshot

import (
	"bytes"
	"strings"
)

const (
	maxDepth   = 64     // objects and arrays that may be open at once
	maxObjects = 10_000 // objects in arrays, all arrays taken together
)

// decoder reads JSON from the front to the back. It declines at the first surprise and is at
// the end of raw from then on, so that what reads on finds nothing and every loop ends.
// Each method starts at a token and ends after one; only space passes over what is between.
type decoder struct {
	raw      []byte
	pos      int
	depth    int
	objects  int
	strings  strings.Builder // all strings read so far, one after the other
	declined bool
}

func (d *decoder) decline() {
	d.declined = true
	d.pos = len(d.raw)
}

// peek returns the next byte, 0 at the end.
func (d *decoder) peek() byte {
	if d.pos < len(d.raw) {
		return d.raw[d.pos]
	}
	return 0
}

func (d *decoder) space() {
	for d.pos < len(d.raw) && isSpace(d.raw[d.pos]) {
		d.pos++
	}
}

func isSpace(c byte) bool {
	return c <= ' ' && (c == ' ' || c == '\n' || c == '\t' || c == '\r')
}

// end declines where something follows the value.
func (d *decoder) end() {
	d.space()
	if d.pos != len(d.raw) {
		d.decline()
	}
}

// open enters an object or array and says whether there is a first member or element:
//
//	for more := d.open('['); more; more = d.more(']')
func (d *decoder) open(bracket byte) bool {
	d.depth++
	if d.peek() != bracket || d.depth > maxDepth {
		d.decline()
		return false
	}
	d.pos++
	d.space()
	const toClose = '}' - '{' // as far as ']' is from '['
	if d.peek() == bracket+toClose {
		d.pos++
		d.depth--
		return false
	}
	return true
}

// more says whether another member or element follows, and leaves the object or array where
// none does.
func (d *decoder) more(bracket byte) bool {
	d.space()
	switch d.peek() {
	case ',':
		d.pos++
		d.space()
		return true
	case bracket:
		d.pos++
		d.depth--
	default:
		d.decline()
	}
	return false
}

// name reads a member's name and goes to its value. It declines a name that may match a
// field by more than its bytes.
func (d *decoder) name() []byte {
	if d.peek() != '"' {
		d.decline()
		return nil
	}
	start := d.pos + 1
	end := d.scan(start)
	d.pos = end
	if d.peek() != '"' {
		d.decline()
		return nil
	}
	d.pos++
	d.colon()
	return d.raw[start:end]
}

func (d *decoder) colon() {
	d.space()
	if d.peek() != ':' {
		d.decline()
		return
	}
	d.pos++
	d.space()
}

// literal reads true, false or null.
func (d *decoder) literal(want string) {
	if !bytes.HasPrefix(d.raw[d.pos:], []byte(want)) {
		d.decline()
		return
	}
	d.pos += len(want)
}

// null says whether the value is null, and if so reads it.
func (d *decoder) null() bool {
	if d.peek() != 'n' {
		return false
	}
	d.literal("null")
	return true
}
