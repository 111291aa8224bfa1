// Package snapshot decodes the body of a 200 answer several times faster than encoding/json,
// and only where it is certain of doing so the same way.
//
// What is read of which object is generated from the types of package gen (decode.gen.go);
// the rest of the package reads JSON. Two things save the time: a value is read straight into
// its field, without reflection, and an object costs one allocation, since its optional
// members point into a struct allocated with it, and strings stand in one piece of memory.
package snapshot

import "github.com/unsend-go/unsend/gen"

// Decode returns the queue of a body {"success": …, "queue": {…}}: nil where it is null or
// absent. Where ok is true, encoding/json would have returned the same, and no error. Where
// it is false, encoding/json has to judge: the body departs from the contract, is no JSON, or
// is JSON of a rare kind (a member sent twice or in other letter case, an unpaired surrogate,
// more than 64 levels, more than 10,000 objects in arrays).
//
// The queue shares nothing with raw nor with another queue. Its strings share memory among
// themselves: one that is kept keeps the others.
func Decode(raw []byte) (queue *gen.Queue, ok bool) {
	found, ok := decode(raw, readAnswer)
	if !ok {
		return nil, false
	}
	return found.Queue, true
}

// answer is what Decode reads of a body.
type answer struct {
	Queue *gen.Queue `json:"queue"`
}

func readAnswer(d *decoder, at *answer, queue *object[gen.Queue, partsOfQueue]) {
	var seen uint64
	for more := d.open('{'); more; more = d.more('}') {
		switch name := d.name(); string(name) {
		case "queue":
			d.once(&seen, 0)
			at.Queue = part(d, queue, readQueue)
		default:
			d.unknown(name, `"queue"`)
		}
	}
}

// decode reads a text that is one object and nothing else.
func decode[T, Parts any](raw []byte, read func(*decoder, *T, *Parts)) (value *T, ok bool) {
	d := decoder{raw: raw}
	d.strings.Grow(len(raw) / 4) // about as much of a body is strings
	d.space()
	value = apart(&d, read)
	d.end()
	return value, value != nil && !d.declined
}
