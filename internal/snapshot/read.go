package snapshot

import (
	"bytes"
	"encoding/json"
)

// The functions below are what generated code is made of. Those that take a place in memory
// read a value into it and return it as a pointer, nil for null, which leaves it as it is.

// boolean reads true or false.
func boolean[T ~bool](d *decoder, at *T) *T {
	switch d.peek() {
	case 't':
		d.literal("true")
		*at = true
	case 'f':
		d.literal("false")
		*at = false
	default:
		d.literal("null")
		return nil
	}
	return at
}

// integer reads a whole number that T can hold.
func integer[T ~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64](d *decoder, at *T) *T {
	if d.null() {
		return nil
	}
	n := d.whole()
	*at = T(n)
	if int64(*at) != n || (*at < 0) != (n < 0) {
		d.decline()
	}
	return at
}

// single reads a number.
func single[T ~float32](d *decoder, at *T) *T {
	if d.null() {
		return nil
	}
	*at = T(d.float(32))
	return at
}

// double reads a number.
func double[T ~float64](d *decoder, at *T) *T {
	if d.null() {
		return nil
	}
	*at = T(d.float(64))
	return at
}

// text reads a string.
func text[T ~string](d *decoder, at *T) *T {
	if d.null() {
		return nil
	}
	*at = T(d.str())
	return at
}

// object is a struct, and the struct that its optional members point into.
type object[T, Parts any] struct {
	value T
	parts Parts
}

// part reads an object that is part of another.
func part[T, Parts any](d *decoder, at *object[T, Parts], read func(*decoder, *T, *Parts)) *T {
	if d.null() {
		return nil
	}
	read(d, &at.value, &at.parts)
	return &at.value
}

// apart reads an object into memory of its own.
func apart[T, Parts any](d *decoder, read func(*decoder, *T, *Parts)) *T {
	if d.null() {
		return nil
	}
	return part(d, new(object[T, Parts]), read)
}

// list reads an array.
func list[T any](d *decoder, read func(*decoder, *T) *T) []T {
	if d.null() {
		return nil
	}
	items := []T{}
	for more := d.open('['); more; more = d.more(']') {
		var zero T
		items = append(items, zero)
		read(d, &items[len(items)-1])
	}
	return items
}

// objects reads an array of objects. Most have one: it and its parts are one allocation.
// An object of two bytes may come with a thousand bytes of parts, hence the limit.
func objects[T, Parts any](d *decoder, read func(*decoder, *T, *Parts)) []T {
	if d.null() {
		return nil
	}
	items := []T{}
	for more := d.open('['); more; more = d.more(']') {
		if d.objects++; d.objects > maxObjects {
			d.decline()
			break
		}
		var parts *Parts
		if len(items) == 0 {
			first := new(struct {
				items [1]T
				parts Parts
			})
			items, parts = first.items[:], &first.parts
		} else {
			var zero T
			items, parts = append(items, zero), new(Parts)
		}
		if !d.null() {
			read(d, &items[len(items)-1], parts)
		}
	}
	return items
}

// custom lets the value read itself, null too.
func custom[T any, P interface {
	*T
	json.Unmarshaler
}](d *decoder, at *T) *T {
	value := d.value()
	if d.declined || P(at).UnmarshalJSON(bytes.Clone(value)) != nil {
		d.decline()
	}
	return at
}

// other leaves the value to encoding/json.
func other[T any](d *decoder, at *T) *T {
	if json.Unmarshal(d.value(), at) != nil {
		d.decline()
	}
	return at
}
