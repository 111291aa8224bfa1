package contract

// maxDepth is the deepest nesting of JSON that is read: that of encoding/json, so that no
// body passes here which a Go program could not decode.
const maxDepth = 10_000

// maxValues is how many values a body may hold, objects and arrays counted too. Some hundred
// are usual. Three bytes of JSON can make a hundred of memory, and each value can be at fault.
const maxValues = 100_000

// shape is what a body costs to decode, told from its brackets, commas and colons.
type shape struct {
	depth   int // of the deepest bracket
	values  int // at least as many as the JSON has
	members int // exact where the text is JSON
}

// shapeOf looks at the text alone, so that what would cost too much is never decoded.
func shapeOf(text []byte) shape {
	s, depth, inString := shape{values: 1}, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			inString = !inString
		case inString:
			if c == '\\' {
				i++
			}
		case c == '{' || c == '[':
			s.values++
			depth++
			s.depth = max(s.depth, depth)
		case c == '}' || c == ']':
			depth--
		case c == ',':
			s.values++
		case c == ':':
			s.members++
		}
	}
	return s
}

// members counts the members of all objects in a decoded value. It is less than what the text
// had where a name stood twice.
func members(value any) int {
	n := 0
	switch value := value.(type) {
	case map[string]any:
		n = len(value)
		for _, child := range value {
			n += members(child)
		}
	case []any:
		for _, child := range value {
			n += members(child)
		}
	}
	return n
}
