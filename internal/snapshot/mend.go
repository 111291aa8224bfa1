package snapshot

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// deepest is how deep a snapshot is followed; the contract's are 7 levels deep.
const deepest = 100

// mend returns the part of a broken JSON text that can be read, closed where it breaks off,
// and the place where that is, such as "queue.media.0.id"; "" is behind the end.
func mend(raw []byte) (whole []byte, at string) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()    // no number is out of range
	var open []nesting // the objects and arrays not yet closed
	var end int64      // of the last token that can stay
	for {
		token, err := dec.Token()
		if err != nil || len(open) > deepest {
			break
		}
		if _, number := token.(json.Number); number && int(dec.InputOffset()) == len(raw) {
			break // its other digits may be missing
		}
		if len(open) > 0 && open[len(open)-1].next(token) {
			continue // a name stays only with its value
		}
		switch token {
		case json.Delim('{'):
			open = append(open, nesting{closer: '}'})
		case json.Delim('['):
			open = append(open, nesting{closer: ']', index: -1})
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		}
		if end = dec.InputOffset(); len(open) == 0 {
			break
		}
	}
	whole = slices.Clone(raw[:end])
	var path []string
	for _, n := range open {
		path = append(path, n.place())
	}
	for _, n := range slices.Backward(open) {
		whole = append(whole, n.closer)
	}
	return whole, printable(strings.Join(path, "."))
}

// printable leaves of a path what a line can hold: an answer may name its members anything.
func printable(path string) string {
	path = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, path)
	if runes := []rune(path); len(runes) > 100 {
		return string(runes[:100]) + "…"
	}
	return path
}

// nesting is an object or array that is open, and how far it has been read.
type nesting struct {
	closer byte
	name   string // of the current member
	value  bool   // the current member's value is next
	index  int    // of the current element
}

// next takes in a token of the nesting and says whether it is a member's name.
func (n *nesting) next(token json.Token) bool {
	if token == json.Delim(n.closer) {
		return false
	}
	if n.closer == ']' {
		n.index++
		return false
	}
	n.value = !n.value
	if n.value {
		n.name, _ = token.(string)
	}
	return n.value
}

func (n *nesting) place() string {
	if n.closer == ']' {
		return strconv.Itoa(max(n.index, 0))
	}
	return n.name
}
