package snapshot

import (
	"math"
	"strconv"
)

// whole reads an integer of at most 19 digits. More of them, a fraction or an exponent are
// left unread, and so declined by what reads on. -0 is an int and no uint, hence declined.
func (d *decoder) whole() int64 {
	negative := d.peek() == '-'
	if negative {
		d.pos++
	}
	digits := d.raw[d.pos:min(d.pos+19, len(d.raw))]
	n, i := uint64(0), 0
	for ; i < len(digits) && isDigit(digits[i]); i++ {
		n = n*10 + uint64(digits[i]-'0')
	}
	if i == 0 || digits[0] == '0' && (i > 1 || negative) || n > math.MaxInt64 {
		d.decline()
		return 0
	}
	d.pos += i
	if negative {
		return -int64(n)
	}
	return int64(n)
}

// float reads a number that fits into so many bits.
func (d *decoder) float(bits int) float64 {
	start := d.pos
	d.number()
	f, err := strconv.ParseFloat(string(d.raw[start:d.pos]), bits)
	if err != nil {
		d.decline()
	}
	return f
}

// number passes over a number.
func (d *decoder) number() {
	if d.peek() == '-' {
		d.pos++
	}
	if d.peek() == '0' {
		d.pos++
	} else {
		d.digits()
	}
	if d.peek() == '.' {
		d.pos++
		d.digits()
	}
	if c := d.peek(); c == 'e' || c == 'E' {
		d.pos++
		if c = d.peek(); c == '+' || c == '-' {
			d.pos++
		}
		d.digits()
	}
}

// digits passes over digits, at least one.
func (d *decoder) digits() {
	if !isDigit(d.peek()) {
		d.decline()
		return
	}
	for d.pos < len(d.raw) && isDigit(d.raw[d.pos]) {
		d.pos++
	}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
