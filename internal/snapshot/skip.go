package snapshot

import "strings"

// value returns any value as it is written.
func (d *decoder) value() []byte {
	start := d.pos
	d.skip()
	return d.raw[start:d.pos]
}

// skip passes over a value; what is invalid in it is declined as elsewhere.
func (d *decoder) skip() {
	switch d.peek() {
	case '{':
		for more := d.open('{'); more; more = d.more('}') {
			d.str()
			d.colon()
			d.skip()
		}
	case '[':
		for more := d.open('['); more; more = d.more(']') {
			d.skip()
		}
	case '"':
		d.str()
	case 't':
		d.literal("true")
	case 'f':
		d.literal("false")
	case 'n':
		d.literal("null")
	default:
		d.number()
	}
}

// once declines a member that came before.
func (d *decoder) once(seen *uint64, member uint) {
	if *seen&(1<<member) != 0 {
		d.decline()
	}
	*seen |= 1 << member
}

// unknown passes over a member without a field. It declines where encoding/json would find a
// field, which it does in any letter case. fields are the names of the fields, in lower case
// and each in quotes, which no name holds.
func (d *decoder) unknown(name []byte, fields string) {
	quoted := make([]byte, 0, 64)
	quoted = append(quoted, '"')
	for _, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		quoted = append(quoted, c)
	}
	quoted = append(quoted, '"')
	if strings.Contains(fields, string(quoted)) {
		d.decline()
	}
	d.skip()
}
