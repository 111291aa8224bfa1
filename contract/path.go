package contract

import (
	"net/url"
	"strings"
)

// match compares the segments of an escaped path with the operation's template and returns
// the decoded value of each parameter. Splitting before decoding keeps an encoded slash
// inside its id, where the id's pattern refuses it.
func (op *operation) match(segments []string) (params map[string]string, ok bool) {
	if len(segments) != len(op.path) {
		return nil, false
	}
	params = make(map[string]string, 2)
	for i, want := range op.path {
		if name, isParam := parameterName(want); isParam {
			value, err := url.PathUnescape(segments[i])
			if err != nil {
				value = segments[i]
			}
			params[name] = value
		} else if segments[i] != want {
			return nil, false
		}
	}
	return params, true
}

func parameterName(segment string) (name string, ok bool) {
	name, ok = strings.CutPrefix(segment, "{")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(name, "}")
}
