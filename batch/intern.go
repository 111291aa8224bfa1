package batch

import "strings"

// intern numbers different values as they come.
type intern[T comparable] struct {
	list  []T
	index map[T]uint32
}

func (in *intern[T]) of(v T) uint32 {
	if n, ok := in.index[v]; ok {
		return n
	}
	if in.index == nil {
		in.index = map[T]uint32{}
	}
	if s, ok := any(v).(string); ok {
		v, _ = any(strings.Clone(s)).(T) // it may be part of a longer text, which would stay
	}
	n := uint32(len(in.list)) //nolint:gosec // as many as connections or kinds of failure
	in.list = append(in.list, v)
	in.index[v] = n
	return n
}

// of8 is of for at most 256 values: what comes after is taken for the last.
func (in *intern[T]) of8(v T) uint8 {
	if _, ok := in.index[v]; !ok && len(in.list) == 256 {
		return 255
	}
	return uint8(in.of(v)) //nolint:gosec // at most 255
}
